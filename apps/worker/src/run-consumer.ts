import { randomUUID } from 'node:crypto';
import { channels } from '@pademelon/contracts';
import { ChangeListener, type Pool } from '@pademelon/database/sql';
import type { RunStore } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';
import { retryWhile } from './retry-while.ts';
import type { RunExecutor } from './run-executor.ts';
import type { WorkBell } from './work-bell.ts';
import { monotonicMs } from './workbench/monotonic-clock.ts';

export interface RunConsumerOptions {
  readonly store: Pick<RunStore, 'claim' | 'listClaimable'>;
  readonly executor: Pick<RunExecutor, 'execute' | 'checkCancels' | 'stopAll' | 'runningCount'>;
  readonly bell: WorkBell;
  readonly workerId: string;
  /** Runs that go on at once. */
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly lookMs: number;
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly logger: Logger;
}

/**
 * Hears of runs by the doorbell, by NOTIFY and by its own look every `lookMs`, and claims as many as it has places for.
 * All three only say where to look: the claim decides.
 */
export class RunConsumer {
  readonly #options: RunConsumerOptions;
  readonly #listener: ChangeListener;
  readonly #running = new Set<Promise<void>>();
  /** Claims whose answer is not there yet: each may take a place. */
  #claiming = 0;
  /** Somebody found no place while one was kept for a claim that may have come to nothing. */
  #wasTurnedAway = false;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #mustLookAgain = false;
  #isStopping = false;

  constructor(options: RunConsumerOptions) {
    this.#options = options;
    this.#listener = new ChangeListener({
      databaseUrl: options.databaseUrl,
      channels: [channels.runs],
      onChange: () => {
        void options.executor.checkCancels();
        this.look();
      },
    });
  }

  async start(): Promise<void> {
    const { bell, concurrency } = this.#options;
    bell.answer('run', concurrency, (id) => this.#hear(id));
    await this.#listener.start();
    this.#schedule();
    this.look();
  }

  /** Claims no more, waits up to `drainMs` for what runs, then ends it. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#listener.stop();
    await this.#looking;
    const timer = setTimeout(() => this.#options.executor.stopAll(), drainMs);
    while (this.#running.size > 0) await Promise.all(this.#running);
    clearTimeout(timer);
  }

  look(): void {
    if (this.#isStopping) return;
    if (this.#looking !== null) {
      this.#mustLookAgain = true;
      return;
    }
    this.#looking = this.#claimWhatIsThere().finally(() => {
      this.#looking = null;
      if (!this.#mustLookAgain) return;
      this.#mustLookAgain = false;
      this.look();
    });
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.look();
      this.#schedule();
    }, this.#options.lookMs);
  }

  async #hear(id: string): Promise<void> {
    if (!this.#isStopping && this.#findPlace()) await this.#claim(id);
  }

  /** Whether there is a place for one more run; who finds none is remembered. */
  #findPlace(): boolean {
    const hasPlace = this.#running.size + this.#claiming < this.#options.concurrency;
    if (!hasPlace) this.#wasTurnedAway = true;
    return hasPlace;
  }

  async #claimWhatIsThere(): Promise<void> {
    this.#wasTurnedAway = false;
    const { store, bell, concurrency, logger } = this.#options;
    try {
      if (!this.#findPlace()) return;
      for (const id of await store.listClaimable(concurrency * 2)) {
        if (this.#isStopping || !this.#findPlace()) return;
        bell.wake();
        await this.#claim(id);
      }
    } catch (error) {
      logger.warn({ err: error }, 'could not look for runs; the next look is soon');
    }
  }

  async #claim(id: string): Promise<void> {
    const { store, workerId, leaseMs, executor } = this.#options;
    const claimedAtMs = monotonicMs();
    this.#claiming += 1;
    const token = randomUUID();
    // What was claimed while the connection broke is ours all the same, as long as the lease has not run down.
    const run = await retryWhile(
      () => !this.#isStopping && monotonicMs() < claimedAtMs + leaseMs / 2,
      () => store.claim(id, workerId, leaseMs, token),
    ).finally(() => {
      this.#claiming -= 1;
    });
    if (run === null) {
      if (this.#wasTurnedAway) this.look();
      return;
    }
    const execution = executor.execute(run, claimedAtMs).finally(() => {
      this.#running.delete(execution);
      // A place is free: the next run need not wait for the clock.
      this.look();
    });
    this.#running.add(execution);
  }
}
