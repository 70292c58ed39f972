import type {
  BatchQuery,
  InferenceLogStore,
  LoggedPipeline,
  LogNumbering,
  LogSpan,
  StoredBatch,
} from '@pademelon/domain';
import type { Pool } from './pool.ts';

const columns = {
  rows: { first: 'first_row', count: 'row_count', total: 'rows', content: 'content', size: 'size_bytes' },
  failures: {
    first: 'first_failure',
    count: 'failure_count',
    total: 'failures',
    content: 'coalesce(failed_content, content)',
    size: 'coalesce(octet_length(failed_content), size_bytes)',
  },
} as const;

/** Reads batches day by day, newest or oldest day first, so that a page touches only the partitions that it needs. */
export class PgInferenceLogStore implements InferenceLogStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async findPipeline(userId: string, pipelineId: number): Promise<LoggedPipeline | null> {
    const { rows } = await this.#pool.query<LoggedPipeline>(`${visiblePipelines} AND pipeline.id = $2`, [
      userId,
      pipelineId,
    ]);
    return rows[0] ?? null;
  }

  async findPipelineByName(userId: string, workspaceId: number, name: string): Promise<LoggedPipeline | null> {
    const { rows } = await this.#pool.query<LoggedPipeline>(
      `${visiblePipelines} AND pipeline.workspace_id = $2 AND pipeline.name = $3`,
      [userId, workspaceId, name],
    );
    return rows[0] ?? null;
  }

  async findPipelinesOfModel(userId: string, modelName: string): Promise<LoggedPipeline[] | null> {
    const { rows } = await this.#pool.query<LoggedPipeline>(
      `${visiblePipelines} AND pipeline.id IN (SELECT pipeline_id FROM inference_log_models WHERE model_name = $2)
       ORDER BY pipeline.id`,
      [userId, modelName],
    );
    if (rows.length > 0) return rows;
    const { rowCount } = await this.#pool.query(
      `SELECT FROM models AS model JOIN workspace_members AS member USING (workspace_id)
        WHERE member.user_id = $1 AND model.name = $2 LIMIT 1`,
      [userId, modelName],
    );
    return rowCount === 0 ? null : [];
  }

  async findSpan(pipelineId: number, numbering: LogNumbering): Promise<LogSpan> {
    const { first, total } = columns[numbering];
    const { rows } = await this.#pool.query<{ start: string; end: string }>(
      `SELECT coalesce(min(day.${first}), head.${total}) AS start, head.${total} AS "end"
         FROM inference_log_heads AS head LEFT JOIN inference_log_days AS day USING (pipeline_id)
        WHERE head.pipeline_id = $1 GROUP BY head.${total}`,
      [pipelineId],
    );
    const span = rows[0];
    return span === undefined ? { start: 0, end: 0 } : { start: Number(span.start), end: Number(span.end) };
  }

  async listBatches(query: BatchQuery): Promise<StoredBatch[]> {
    const batches: StoredBatch[] = [];
    for (const day of await this.#listDays(query)) {
      batches.push(...(await this.#listBatchesOfDay(day, query, query.limit - batches.length)));
      if (batches.length >= query.limit) break;
    }
    return batches;
  }

  async readBatches(batches: readonly StoredBatch[], numbering: LogNumbering): Promise<(Uint8Array | null)[]> {
    const contents = new Map<string, Uint8Array>();
    // With the day as a value the other partitions are ruled out before the plan is made, whatever plan that is.
    const byDay = Map.groupBy(batches, ({ day, pipelineId }) => `${day} ${pipelineId}`);
    for (const [key, ofDay] of byDay) {
      const { day, pipelineId } = ofDay[0]!;
      // Base64 is two thirds of the hexadecimal text that bytes come as otherwise, and read in half the time.
      const { rows } = await this.#pool.query<{ first_row: string; content: string }>(
        `SELECT first_row, encode(${columns[numbering].content}, 'base64') AS content FROM inference_log
         WHERE day = $1 AND pipeline_id = $2 AND first_row = ANY ($3)`,
        [day, pipelineId, ofDay.map(({ firstRow }) => firstRow)],
      );
      for (const row of rows) contents.set(`${key} ${row.first_row}`, Buffer.from(row.content, 'base64'));
    }
    return batches.map(({ day, pipelineId, firstRow }) => contents.get(`${day} ${pipelineId} ${firstRow}`) ?? null);
  }

  async #listDays({ pipelineId, numbering, order, from, below, startMs, endMs }: BatchQuery): Promise<string[]> {
    const { first, total } = columns[numbering];
    const { rows } = await this.#pool.query<{ day: string }>(
      `SELECT day::text FROM inference_log_days
        WHERE pipeline_id = $1 AND ${total} > 0 AND ${first} < $3 AND ${first} + ${total} > $2
          AND ($4::bigint IS NULL OR last_ms >= $4) AND ($5::bigint IS NULL OR first_ms <= $5)
        ORDER BY inference_log_days.day ${order}`,
      [pipelineId, from, below, startMs, endMs],
    );
    return rows.map(({ day }) => day);
  }

  async #listBatchesOfDay(day: string, query: BatchQuery, limit: number): Promise<StoredBatch[]> {
    const { first, count, size } = columns[query.numbering];
    const numbers = await this.#numbersOfWindow(day, query);
    if (numbers === null) return [];
    const { from, below } = numbers;
    const { rows } = await this.#pool.query<BatchRow>(
      `SELECT day::text, first_row, row_count, first_failure, failure_count, first_ms, last_ms,
              ${size} AS size_bytes
         FROM inference_log
        WHERE day = $1 AND pipeline_id = $2 AND ${count} > 0 AND ${first} < $4 AND ${first} + ${count} > $3
          AND ${first} >= coalesce((SELECT max(${first}) FROM inference_log
                                     WHERE day = $1 AND pipeline_id = $2 AND ${count} > 0 AND ${first} <= $3), 0)
          AND ($5::bigint IS NULL OR last_ms >= $5) AND ($6::bigint IS NULL OR first_ms <= $6)
          AND ($7::text IS NULL OR $7 = ANY (model_names))
        ORDER BY ${first} ${query.order} LIMIT $8`,
      [day, query.pipelineId, from, below, query.startMs, query.endMs, query.modelName, limit],
    );
    return rows.map((row) => toStoredBatch(row, query.pipelineId));
  }

  /**
   * The numbers asked for, without those before and behind the time window, so that not every batch of half a day is
   * looked at to find where the window begins or ends. Null where the day has nothing in it.
   */
  async #numbersOfWindow(day: string, query: BatchQuery): Promise<Pick<BatchQuery, 'from' | 'below'> | null> {
    const { pipelineId, numbering, from, below, startMs, endMs } = query;
    if (startMs === null && endMs === null) return { from, below };
    const { first, count } = columns[numbering];
    const { rows } = await this.#pool.query<{ starts: string | null; ends: string | null }>(
      `SELECT (SELECT ${first} FROM inference_log WHERE day = $1 AND pipeline_id = $2 AND latest_ms >= $3
                ORDER BY latest_ms, first_row LIMIT 1) AS starts,
              (SELECT ${first} + ${count} + 1 FROM inference_log WHERE day = $1 AND pipeline_id = $2
                  AND latest_ms > $4 + (SELECT lateness_ms FROM inference_log_days WHERE day = $1 AND pipeline_id = $2)
                ORDER BY latest_ms, first_row LIMIT 1) AS ends`,
      [day, pipelineId, startMs ?? 0, endMs ?? Number.MAX_SAFE_INTEGER],
    );
    const { starts, ends } = rows[0]!;
    if (starts === null) return null;
    return { from: Math.max(from, Number(starts)), below: ends === null ? below : Math.min(below, Number(ends)) };
  }
}

const visiblePipelines = `
  SELECT pipeline.id, pipeline.name, pipeline.workspace_id AS "workspaceId"
    FROM pipelines AS pipeline JOIN workspace_members AS member USING (workspace_id)
   WHERE member.user_id = $1`;

interface BatchRow {
  readonly day: string;
  readonly first_row: string;
  readonly row_count: number;
  readonly first_failure: string;
  readonly failure_count: number;
  readonly first_ms: string;
  readonly last_ms: string;
  readonly size_bytes: number;
}

/** int8 comes as text; row numbers and milliseconds are far below 2^53. */
function toStoredBatch(row: BatchRow, pipelineId: number): StoredBatch {
  return {
    pipelineId,
    day: row.day,
    firstRow: Number(row.first_row),
    rowCount: row.row_count,
    firstFailure: Number(row.first_failure),
    failureCount: row.failure_count,
    firstMs: Number(row.first_ms),
    lastMs: Number(row.last_ms),
    sizeBytes: row.size_bytes,
  };
}
