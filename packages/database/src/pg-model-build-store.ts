import { randomUUID } from 'node:crypto';
import { channels } from '@pademelon/contracts';
import type { ModelBuildJob, ModelBuildStore, PackagingVerdict } from '@pademelon/domain';
import type { Pool } from './pool.ts';

const maxAttempts = 3;

interface ClaimedRow extends Omit<ModelBuildJob, 'id' | 'leaseToken' | 'isLastAttempt'> {
  readonly id: number;
  readonly attempts: number;
}

/** The packager's writes for model versions on PostgreSQL, each one statement by the database's clock. */
export class PgModelBuildStore implements ModelBuildStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async claimNext(leaseMs: number): Promise<ModelBuildJob | null> {
    const token = randomUUID();
    const { rows } = await this.#pool.query<ClaimedRow>(
      `WITH claimed AS (
         UPDATE model_builds SET lease_token = $1, attempts = attempts + 1,
           lease_expires_at = now() + $2 * interval '1 millisecond'
         WHERE model_version_id = (
           SELECT b.model_version_id FROM model_builds b JOIN model_versions v ON v.id = b.model_version_id
           WHERE v.status = 'pending_load_native' OR (v.status = 'attempting_load_native' AND b.lease_expires_at <= now())
           ORDER BY b.model_version_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING model_version_id, attempts)
       UPDATE model_versions v SET status = 'attempting_load_native', updated_at = now()
       FROM claimed WHERE v.id = claimed.model_version_id
       RETURNING v.id, v.sha, v.file_name AS "fileName", v.input_schema AS "inputSchema",
         v.output_schema AS "outputSchema", coalesce(v.conversion->'requirements', '[]') AS requirements, claimed.attempts`,
      [token, leaseMs],
    );
    const row = rows[0];
    if (row === undefined) return null;
    const { attempts, id, ...upload } = row;
    return { ...upload, id: String(id), leaseToken: token, isLastAttempt: attempts >= maxAttempts };
  }

  async renew(job: ModelBuildJob, leaseMs: number, buildLog: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE model_builds SET lease_expires_at = now() + $3 * interval '1 millisecond', build_log = $4
       WHERE model_version_id = $1 AND lease_token = $2`,
      [job.id, job.leaseToken, leaseMs, buildLog],
    );
    return rowCount === 1;
  }

  async finish(job: ModelBuildJob, verdict: PackagingVerdict): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `WITH done AS (
         UPDATE model_builds SET build_log = $5, lease_token = NULL, lease_expires_at = NULL
         WHERE model_version_id = $1 AND lease_token = $2 RETURNING model_version_id),
       moved AS (
         UPDATE model_versions v SET status = $3, error_summary = $4, updated_at = now()
         FROM done WHERE v.id = done.model_version_id RETURNING v.id)
       SELECT pg_notify($6, '') FROM moved`,
      // Deployments of it wait for it to be ready.
      [job.id, job.leaseToken, verdict.status, verdict.reason, verdict.buildLog, channels.deployments],
    );
    return rowCount === 1;
  }
}
