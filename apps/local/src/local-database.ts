import { type LocalPostgres, startLocalPostgres } from '@pademelon/local-postgres';
import type { RotatingFile } from './rotating-file.ts';

const firstPauseMs = 200;
const longestPauseMs = 10_000;

/** The embedded PostgreSQL, kept running: started again when it ends by itself. Its URL stays the same. */
export class LocalDatabase {
  readonly url: string;
  readonly #options: LocalDatabaseOptions;
  #postgres: LocalPostgres;
  #restarted: Promise<void> = Promise.resolve();
  #isStopping = false;

  static async start(options: LocalDatabaseOptions): Promise<LocalDatabase> {
    return new LocalDatabase(options, await startServer(options));
  }

  private constructor(options: LocalDatabaseOptions, postgres: LocalPostgres) {
    this.#options = options;
    this.#postgres = postgres;
    this.url = postgres.url;
    this.#watch();
  }

  /** The services must have let go of it: open transactions are rolled back. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#restarted;
    await this.#postgres.stop();
  }

  #watch(): void {
    void this.#postgres.ended.then(() => {
      if (!this.#isStopping) this.#restarted = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    for (let pauseMs = firstPauseMs; !this.#isStopping; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      this.#options.onEnded(`ended by itself; starting it again in ${pauseMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      try {
        this.#postgres = await startServer(this.#options);
        this.#watch();
        return;
      } catch (error) {
        this.#options.onEnded(`could not be started again: ${(error as Error).message}`);
      }
    }
  }
}

export interface LocalDatabaseOptions {
  readonly folder: string;
  readonly log: RotatingFile;
  /** Told in words what happened when the server ended by itself. */
  readonly onEnded: (sentence: string) => void;
}

function startServer({ folder, log }: LocalDatabaseOptions): Promise<LocalPostgres> {
  return startLocalPostgres({ folder, onMessage: (line) => log.write(line) });
}
