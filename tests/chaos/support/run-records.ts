import type { Pool } from '@pademelon/database/sql';

/** A run with everything that the platform keeps of it. */
export interface RunRecord {
  readonly id: string;
  readonly taskId: string;
  readonly label: string;
  readonly beats: number;
  readonly state: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly finishedAtMs: number | null;
  /** What became of it, in order: `<kind> <attempt>`. */
  readonly events: readonly string[];
  /** What the code printed, without time and stream. */
  readonly lines: readonly string[];
}

export async function readRuns(pool: Pool): Promise<RunRecord[]> {
  const { rows } = await pool.query(`
    SELECT r.id, r.task_id, t.input_data->>'label' AS label, coalesce((t.input_data->>'beats')::int, 0) AS beats,
      r.state, r.reason, r.attempt, r.max_attempts, r.finished_at,
      ARRAY(SELECT e.kind || ' ' || e.attempt FROM run_events e WHERE e.run_id = r.id ORDER BY e.id) AS events,
      (SELECT string_agg(c.text, '' ORDER BY c.first_line) FROM run_log_chunks c WHERE c.run_id = r.id) AS log
    FROM runs r JOIN tasks t ON t.id = r.task_id ORDER BY r.created_at`);
  return rows.map((row) => ({
    id: row.id,
    taskId: row.task_id,
    label: row.label,
    beats: row.beats,
    state: row.state,
    reason: row.reason,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    finishedAtMs: row.finished_at === null ? null : (row.finished_at as Date).getTime(),
    events: row.events,
    lines: linesOf(row.log ?? ''),
  }));
}

/** Lines of a log are `<time> <stream> F <text>`; those of the platform's own are left out. */
function linesOf(log: string): string[] {
  return log
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ').slice(3).join(' '))
    .filter((text) => !text.startsWith('[pademelon]'));
}
