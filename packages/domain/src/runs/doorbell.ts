/**
 * Tells workers that there is work. A hint: the rows are the truth, and workers look by themselves every few seconds, so
 * a ring that is lost costs seconds. It never throws.
 */
export interface Doorbell {
  ring(kind: 'run' | 'orchestration', id: string): Promise<void>;
}
