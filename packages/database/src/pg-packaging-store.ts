import { randomUUID } from 'node:crypto';
import { channels } from '@pademelon/contracts';
import type { PackagingJob, PackagingResult, PackagingStore } from '@pademelon/domain';
import type { Pool } from './pool.ts';

const maxAttempts = 3;

/** The packager's writes on PostgreSQL, each one conditional statement by the database's clock. */
export class PgPackagingStore implements PackagingStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async claimNext(leaseMs: number): Promise<PackagingJob | null> {
    const token = randomUUID();
    const { rows } = await this.#pool.query<{ id: string; sha: string; attempts: number }>(
      `UPDATE orchestrations SET status = 'packaging', lease_token = $1, attempts = attempts + 1,
         lease_expires_at = now() + $2 * interval '1 millisecond', updated_at = now()
       WHERE id = (
         SELECT id FROM orchestrations
         WHERE status = 'pending_packaging' OR (status = 'packaging' AND lease_expires_at <= now())
         ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, sha, attempts`,
      [token, leaseMs],
    );
    const row = rows[0];
    return row === undefined
      ? null
      : { id: row.id, sha: row.sha, leaseToken: token, isLastAttempt: row.attempts >= maxAttempts };
  }

  async renew(job: PackagingJob, leaseMs: number, buildLog: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE orchestrations SET lease_expires_at = now() + $3 * interval '1 millisecond', build_log = $4
       WHERE id = $1 AND lease_token = $2 AND status = 'packaging'`,
      [job.id, job.leaseToken, leaseMs, buildLog],
    );
    return rowCount === 1;
  }

  async finish(job: PackagingJob, result: PackagingResult): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `WITH done AS (
         UPDATE orchestrations SET status = $3, status_reason = $4, entry_point = $5, environment_hash = $6, build_log = $7,
           lease_token = NULL, lease_expires_at = NULL, updated_at = now()
         WHERE id = $1 AND lease_token = $2 AND status = 'packaging' RETURNING id)
       SELECT pg_notify($8, '') FROM done`,
      [
        job.id,
        job.leaseToken,
        result.status,
        result.reason,
        result.entryPoint,
        result.environmentHash,
        result.buildLog,
        // Runs of an orchestration wait for it to be ready.
        channels.runs,
      ],
    );
    return rowCount === 1;
  }
}
