import {
  DomainError,
  type EncodedLogBatch,
  type InferenceLogSink,
  type LogDrop,
  type LogWriteKey,
} from '@pademelon/domain';
import pg from 'pg';
import { ensureLogPartitions } from './inference-log-partitions.ts';
import type { Pool } from './pool.ts';

const hourMs = 3_600_000;

/** Writes batches and counts of dropped rows, each in one statement, so that a write is done whole or not at all. */
export class PgInferenceLogSink implements InferenceLogSink {
  readonly #pool: Pool;
  #partitionsCheckedAt = Number.NEGATIVE_INFINITY;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async writeBatch(batch: EncodedLogBatch, key: LogWriteKey): Promise<void> {
    const values = [
      key.writerId,
      key.number,
      batch.pipelineId,
      batch.rowCount,
      batch.failureCount,
      batch.firstMs,
      batch.lastMs,
      batch.modelNames,
      batch.fingerprint,
      JSON.stringify(batch.sequences),
      batch.bytes,
      batch.failedBytes,
    ];
    await this.#attempt(async () => {
      await this.#ensurePartitions();
      await this.#pool.query({ name: 'insert-log-batch', text: insertBatch, values });
    });
  }

  async writeDrops(drops: readonly LogDrop[], key: LogWriteKey): Promise<void> {
    const values = [
      key.writerId,
      key.number,
      drops.map(({ pipelineId }) => pipelineId),
      drops.map(({ reason }) => reason),
      drops.map(({ records }) => records),
      drops.map(({ rows }) => rows),
    ];
    await this.#attempt(() => this.#pool.query(insertDrops, values));
  }

  async #attempt(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (isMissingPartition(error)) this.#partitionsCheckedAt = Number.NEGATIVE_INFINITY;
      if (!isTransient(error)) throw error;
      throw new DomainError('unavailable', 'The database does not take inference logs at the moment.', {
        cause: error,
      });
    }
  }

  async #ensurePartitions(): Promise<void> {
    const now = performance.now();
    if (now - this.#partitionsCheckedAt < hourMs) return;
    await ensureLogPartitions(this.#pool);
    this.#partitionsCheckedAt = now;
  }
}

/**
 * The writer's row decides whether this write was done before; the head's row lock puts the batches of a pipeline in
 * the order of their commits. A day never goes back, even when the clock does.
 */
const insertBatch = `
  WITH writer AS (
    INSERT INTO inference_log_writers AS w (id, last_write) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET last_write = excluded.last_write, written_at = now()
      WHERE w.last_write < excluded.last_write
    RETURNING 1
  ), head AS (
    INSERT INTO inference_log_heads AS h (pipeline_id, day, rows, failures, latest_ms)
    SELECT $3::int, (clock_timestamp() AT TIME ZONE 'UTC')::date, $4::int, $5::int, $7::bigint FROM writer
    ON CONFLICT (pipeline_id) DO UPDATE SET day = greatest(h.day, excluded.day),
      rows = h.rows + excluded.rows, failures = h.failures + excluded.failures,
      latest_ms = greatest(h.latest_ms, excluded.latest_ms)
    RETURNING day, rows - $4::int AS first_row, failures - $5::int AS first_failure, latest_ms,
      octet_length($11::bytea) + coalesce(octet_length($12::bytea), 0) AS size_bytes
  ), logged_day AS (
    INSERT INTO inference_log_days AS d
      (pipeline_id, day, first_row, rows, first_failure, failures, first_ms, last_ms, lateness_ms, size_bytes)
    SELECT $3, day, first_row, $4, first_failure, $5, $6::bigint, $7::bigint, latest_ms - $6::bigint,
           size_bytes FROM head
    ON CONFLICT (pipeline_id, day) DO UPDATE SET rows = d.rows + excluded.rows,
      failures = d.failures + excluded.failures, first_ms = least(d.first_ms, excluded.first_ms),
      last_ms = greatest(d.last_ms, excluded.last_ms), lateness_ms = greatest(d.lateness_ms, excluded.lateness_ms),
      size_bytes = d.size_bytes + excluded.size_bytes
  ), model AS (
    INSERT INTO inference_log_models (model_name, pipeline_id)
    SELECT unnest($8::text[]), $3 FROM head ON CONFLICT DO NOTHING
  )
  INSERT INTO inference_log (day, pipeline_id, first_row, row_count, first_failure, failure_count, first_ms, last_ms,
                             latest_ms, size_bytes, model_names, fingerprint, sequences, content,
                             failed_content)
  SELECT day, $3, first_row, $4, first_failure, $5, $6, $7, latest_ms, size_bytes, $8, $9, $10::jsonb, $11, $12
    FROM head`;

const insertDrops = `
  WITH writer AS (
    INSERT INTO inference_log_writers AS w (id, last_write) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET last_write = excluded.last_write, written_at = now()
      WHERE w.last_write < excluded.last_write
    RETURNING 1
  )
  INSERT INTO inference_log_drops (pipeline_id, reason, records, rows)
  SELECT dropped.* FROM writer, unnest($3::int[], $4::text[], $5::bigint[], $6::bigint[]) AS dropped`;

/** No partition for the day: it was missed or dropped by hand, and is made before the next try. */
function isMissingPartition(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23514' && /no partition/.test(error.message);
}

/**
 * Whether trying again can help: no answer at all, or PostgreSQL says that it is restarting, full, read-only, short of
 * something or in conflict with another transaction. Anything else would be refused for ever.
 */
function isTransient(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return !(error instanceof TypeError);
  return /^(08|25006|40|53|55|57|58)/.test(error.code) || isMissingPartition(error);
}
