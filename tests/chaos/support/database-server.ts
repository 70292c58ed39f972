import { mkdirSync } from 'node:fs';
import { type LocalPostgres, startLocalPostgres } from '@pademelon/local-postgres';

/** A PostgreSQL with its usual durability, which is taken away from the platform and given back. */
export class DatabaseServer {
  readonly #folder: string;
  #postgres: LocalPostgres;

  static async start(folder: string): Promise<DatabaseServer> {
    mkdirSync(folder, { recursive: true });
    return new DatabaseServer(folder, await startLocalPostgres({ folder }));
  }

  private constructor(folder: string, postgres: LocalPostgres) {
    this.#folder = folder;
    this.#postgres = postgres;
  }

  get url(): string {
    return this.#postgres.url;
  }

  /** A fast shutdown and a start, with something in between: open transactions are rolled back. */
  async restart(whileAway: () => Promise<void>): Promise<void> {
    await this.#postgres.stop();
    await whileAway();
    this.#postgres = await startLocalPostgres({ folder: this.#folder });
  }

  /** kill -9 of the server, and a start that recovers from its log. */
  async crash(whileAway: () => Promise<void>): Promise<void> {
    process.kill(this.#postgres.pid, 'SIGKILL');
    await this.#postgres.ended;
    await whileAway();
    this.#postgres = await startLocalPostgres({ folder: this.#folder });
  }

  stop(): Promise<void> {
    return this.#postgres.stop();
  }
}
