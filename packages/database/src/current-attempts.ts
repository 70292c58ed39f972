import type { Pool } from './pool.ts';

/** One try of one run, as the token of a run names it. */
export interface RunAttempt {
  readonly runId: string;
  readonly attempt: number;
}

/** Those of the attempts that are going on: their run is claimed or running, and on no later attempt. */
export async function findCurrentAttempts(pool: Pool, attempts: readonly RunAttempt[]): Promise<RunAttempt[]> {
  if (attempts.length === 0) return [];
  const { rows } = await pool.query<RunAttempt>(
    `SELECT r.id AS "runId", r.attempt FROM runs r
     JOIN unnest($1::uuid[], $2::int[]) AS asked(id, attempt) ON asked.id = r.id AND asked.attempt = r.attempt
     WHERE r.state IN ('claimed', 'running')`,
    [attempts.map(({ runId }) => runId), attempts.map(({ attempt }) => attempt)],
  );
  return rows;
}
