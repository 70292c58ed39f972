import { inTransaction } from './in-transaction.ts';
import type { Pool } from './pool.ts';

/** What is left of a pipeline's log that has grown too long: a little less than it may have, or every round would prune. */
const keptShare = 0.9;

/**
 * Deletes the oldest batches, those of today included, of pipelines whose stored log has more than `maxBytes`. Resolves
 * to the ids of those pipelines.
 */
export async function pruneLongLogs(pool: Pool, maxBytes: number): Promise<number[]> {
  const { rows } = await pool.query<{ pipelineId: number }>(
    `SELECT pipeline_id AS "pipelineId" FROM inference_log_days
      GROUP BY pipeline_id HAVING sum(size_bytes) > $1::bigint ORDER BY 1`,
    [maxBytes],
  );
  for (const { pipelineId } of rows) await pruneLog(pool, pipelineId, Math.floor(maxBytes * keptShare));
  return rows.map(({ pipelineId }) => pipelineId);
}

async function pruneLog(pool: Pool, pipelineId: number, keptBytes: number): Promise<void> {
  await inTransaction(pool, async (client) => {
    // Writers of this pipeline wait: what a day holds must not grow while it is counted anew.
    await client.query('SELECT FROM inference_log_heads WHERE pipeline_id = $1 FOR UPDATE', [pipelineId]);
    await client.query(deleteOldest, [pipelineId, keptBytes]);
    await client.query('DELETE FROM inference_log_days WHERE pipeline_id = $1 AND rows = 0', [pipelineId]);
  });
}

/** Numbers of rows stay as they are: a day that lost its oldest begins with a later one. */
const deleteOldest = `
  WITH sized AS (
    SELECT day, first_row, sum(size_bytes) OVER (ORDER BY first_row DESC) AS bytes_since
      FROM inference_log WHERE pipeline_id = $1
  ), gone AS (
    DELETE FROM inference_log AS batch USING sized
     WHERE batch.pipeline_id = $1 AND batch.day = sized.day AND batch.first_row = sized.first_row
       AND sized.bytes_since > $2::bigint
    RETURNING batch.day, batch.row_count, batch.failure_count, batch.size_bytes
  ), lost AS (
    SELECT day, sum(row_count) AS rows, sum(failure_count) AS failures, sum(size_bytes) AS bytes FROM gone GROUP BY day
  )
  UPDATE inference_log_days AS logged SET first_row = first_row + lost.rows, rows = logged.rows - lost.rows,
         first_failure = first_failure + lost.failures, failures = logged.failures - lost.failures,
         size_bytes = size_bytes - lost.bytes
    FROM lost WHERE logged.pipeline_id = $1 AND logged.day = lost.day`;
