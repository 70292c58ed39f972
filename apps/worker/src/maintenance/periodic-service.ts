import type { Logger } from '@pademelon/runtime';

export interface PeriodicServiceOptions {
  readonly name: string;
  readonly everyMs: number;
  /** One round; what it throws is logged and the next round comes all the same. */
  readonly runOnce: () => Promise<void>;
  readonly logger: Logger;
}

/** A round of work at an interval, never two at once; tests call `runOnce` of the service itself. */
export class PeriodicService {
  readonly #options: PeriodicServiceOptions;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: PeriodicServiceOptions) {
    if (!(options.everyMs > 0)) throw new Error(`${options.name} needs an interval above 0 ms.`);
    this.#options = options;
  }

  start(): void {
    if (this.#isStopped) return;
    this.#round = this.#options
      .runOnce()
      .catch((error: unknown) => {
        this.#options.logger.warn({ err: error, service: this.#options.name }, 'a round failed; the next one is soon');
      })
      .finally(() => {
        if (!this.#isStopped) this.#timer = setTimeout(() => this.start(), this.#options.everyMs);
      });
  }

  /** Resolves when the round that is going on is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }
}
