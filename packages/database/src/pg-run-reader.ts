import type { LogLine, Run, RunFilter, RunLogLimits, RunReader } from '@pademelon/domain';
import type { Pool } from './pool.ts';
import { type RunRow, runColumns, toRun } from './run-rows.ts';

/** Chunks of a log are read in pages of this many. */
const chunkPage = 64;

/** Runs and their logs, read by plain SQL: following logs asks often. */
export class PgRunReader implements RunReader {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async find(visibleTo: string, runId: string): Promise<Run | null> {
    const { rows } = await this.#pool.query<RunRow>(
      `SELECT ${runColumns} FROM runs r
       JOIN tasks t ON t.id = r.task_id
       JOIN workspace_members m ON m.workspace_id = t.workspace_id AND m.user_id = $2
       WHERE r.id = $1`,
      [runId, visibleTo],
    );
    return rows[0] === undefined ? null : toRun(rows[0]);
  }

  async listOfTask(visibleTo: string, taskId: string, filter: RunFilter): Promise<Run[] | null> {
    const { rowCount } = await this.#pool.query(
      `SELECT 1 FROM tasks t JOIN workspace_members m ON m.workspace_id = t.workspace_id AND m.user_id = $2
       WHERE t.id = $1`,
      [taskId, visibleTo],
    );
    if (rowCount === 0) return null;
    const { rows } = await this.#pool.query<RunRow>(
      `SELECT ${runColumns} FROM runs r WHERE r.task_id = $1 AND ($2::text[] IS NULL OR r.state = ANY($2))
       ORDER BY r.created_at DESC, r.id DESC LIMIT $3`,
      [taskId, filter.states ?? null, filter.limit],
    );
    return rows.map(toRun);
  }

  async readLastLines(runId: string, limits: RunLogLimits): Promise<LogLine[]> {
    const newestFirst: LogLine[] = [];
    let bytes = 0;
    for (let before = 2_147_483_647; newestFirst.length < limits.lines; ) {
      const chunks = await this.#readChunks('first_line < $2 ORDER BY first_line DESC', runId, before);
      for (const line of chunks.flatMap((chunk) => linesOf(chunk).reverse())) {
        bytes += line.text.length;
        if (newestFirst.length >= limits.lines || bytes > limits.bytes) return newestFirst.reverse();
        newestFirst.push(line);
      }
      const oldest = chunks.at(-1);
      if (oldest === undefined || chunks.length < chunkPage) break;
      before = oldest.first_line;
    }
    return newestFirst.reverse();
  }

  async readLinesFrom(runId: string, from: number, limits: RunLogLimits): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    let bytes = 0;
    for (let next = from; ; ) {
      const chunks = await this.#readChunks('first_line + line_count > $2 ORDER BY first_line', runId, next);
      for (const line of chunks.flatMap(linesOf)) {
        if (line.number < from) continue;
        bytes += line.text.length;
        // One line at least: a reader that gets none takes the log to be at its end.
        if (lines.length >= limits.lines || (bytes > limits.bytes && lines.length > 0)) return lines;
        lines.push(line);
      }
      const last = chunks.at(-1);
      if (last === undefined || chunks.length < chunkPage) return lines;
      next = last.first_line + last.line_count;
    }
  }

  async #readChunks(condition: string, runId: string, line: number): Promise<ChunkRow[]> {
    const { rows } = await this.#pool.query<ChunkRow>(
      `SELECT first_line, line_count, text FROM run_log_chunks WHERE run_id = $1 AND ${condition} LIMIT ${chunkPage}`,
      [runId, line],
    );
    return rows;
  }
}

interface ChunkRow {
  readonly first_line: number;
  readonly line_count: number;
  readonly text: string;
}

function linesOf(chunk: ChunkRow): LogLine[] {
  const texts = chunk.text.replace(/\n$/, '').split('\n');
  return texts.map((text, index) => ({ number: chunk.first_line + index, text }));
}
