import type { Pool } from '@pademelon/database/sql';
import type { SandboxStatus } from '@pademelon/workbench';

/** Shows operators which workers there are and how they sandbox; leases, not this row, decide who owns a run. */
export class WorkerRegistration {
  readonly #pool: Pool;
  readonly #workerId: string;
  readonly #sandbox: string;

  constructor(options: { pool: Pool; workerId: string; sandbox: SandboxStatus }) {
    this.#pool = options.pool;
    this.#workerId = options.workerId;
    this.#sandbox = options.sandbox.level;
  }

  /** Also removes workers that have not been seen for a day. */
  async renew(): Promise<void> {
    await this.#pool.query(
      `INSERT INTO workers (id, sandbox) VALUES ($1, $2)
       ON CONFLICT (id) DO UPDATE SET last_seen_at = now()`,
      [this.#workerId, this.#sandbox],
    );
    await this.#pool.query(`DELETE FROM workers WHERE last_seen_at < now() - interval '1 day'`);
  }

  async remove(): Promise<void> {
    await this.#pool.query('DELETE FROM workers WHERE id = $1', [this.#workerId]).catch(() => undefined);
  }
}
