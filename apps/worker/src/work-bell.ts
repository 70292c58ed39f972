import type { DoorbellKind, DoorbellQueue, DoorbellQueueOptions } from '@pademelon/queue';

type Handler = (id: string) => Promise<void>;

interface Answer {
  readonly kind: DoorbellKind;
  readonly concurrency: number;
  readonly handler: Handler;
}

/**
 * The worker's end of the queue. It is loaded and connected at the first sign of work, so that an installation that runs
 * nothing spends nothing on it; rings that came before are kept by the queue and answered then.
 */
export class WorkBell {
  /** Null where the queue is switched off: looking alone finds everything. */
  readonly #options: DoorbellQueueOptions | null;
  readonly #answers: Answer[] = [];
  #opening: Promise<DoorbellQueue> | null = null;

  constructor(options: DoorbellQueueOptions | null) {
    this.#options = options;
  }

  /** Call before the first `wake`. */
  answer(kind: DoorbellKind, concurrency: number, handler: Handler): void {
    this.#answers.push({ kind, concurrency, handler });
  }

  /** There is work: from now on rings are answered. */
  wake(): void {
    if (this.#options === null || this.#opening !== null) return;
    const { onError } = this.#options;
    this.#opening = this.#open(this.#options);
    this.#opening.catch(onError);
  }

  async close(): Promise<void> {
    const queue = await this.#opening?.catch(() => null);
    await queue?.close();
  }

  async #open(options: DoorbellQueueOptions): Promise<DoorbellQueue> {
    const { openDoorbellQueue } = await import('@pademelon/queue');
    const queue = openDoorbellQueue(options);
    for (const { kind, concurrency, handler } of this.#answers) {
      // Resolves once the server answers, which may be much later.
      queue.listen(kind, concurrency, handler).catch(options.onError);
    }
    return queue;
  }
}
