import { channels, type TaskKind, type TaskStatus } from '@pademelon/contracts';
import type { NewRun, NewTask, PauseChange, Task, TaskFilter, TaskStore } from '@pademelon/domain';
import { inTransaction } from './in-transaction.ts';
import type { Pool } from './pool.ts';
import { type RunRow, runColumns, toRun } from './run-rows.ts';

/**
 * Tasks by plain SQL: a list of tasks carries the newest runs of each, which is one statement here. Each write is one
 * statement, so that a task, its first run and the notification are there together or not at all.
 */
export class PgTaskStore implements TaskStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async now(): Promise<Date> {
    const { rows } = await this.#pool.query<{ now: Date }>('SELECT now()');
    return (rows[0] as { now: Date }).now;
  }

  async add(task: NewTask, firstRun: NewRun | null): Promise<void> {
    await this.#pool.query(addSql, [
      ...[task.id, task.workspaceId, task.orchestrationId, task.name, task.kind, task.status],
      ...[JSON.stringify(task.inputData), task.schedule, task.timeZone, task.overlapPolicy, task.missedRunPolicy],
      ...[task.timeoutSeconds, task.maxAttempts, task.nextRunAt, task.createdById],
      ...[firstRun?.id ?? null, firstRun?.maxAttempts ?? null, firstRun?.startWithinSeconds ?? null, channels.runs],
    ]);
  }

  async find(visibleTo: string, id: string, runLimit: number): Promise<Task | null> {
    const { rows } = await this.#pool.query<TaskRow>(`${selectTasks} WHERE t.id = $2`, [visibleTo, id]);
    const [task] = await this.#withRuns(rows, runLimit);
    return task ?? null;
  }

  async list(visibleTo: string, filter: TaskFilter, limits: { tasks: number; runs: number }): Promise<Task[]> {
    const { rows } = await this.#pool.query<TaskRow>(
      `${selectTasks}
       WHERE ($2::int[] IS NULL OR t.workspace_id = ANY($2)) AND ($3::uuid[] IS NULL OR t.orchestration_id = ANY($3))
         AND ($4::text IS NULL OR o.sha = $4) AND ($5 OR NOT t.is_killed)
       ORDER BY t.updated_at DESC, t.id LIMIT $6`,
      [
        visibleTo,
        filter.workspaceIds ?? null,
        filter.orchestrationIds ?? null,
        filter.orchestrationSha ?? null,
        filter.withKilled,
        limits.tasks,
      ],
    );
    return this.#withRuns(rows, limits.runs);
  }

  /** Two statements: the second sees the run of an enqueuer that had the task locked when the first one came. */
  async kill(visibleTo: string, id: string): Promise<boolean> {
    return inTransaction(this.#pool, async (client) => {
      const { rowCount } = await client.query(killTaskSql, [visibleTo, id]);
      if (rowCount === 1) await client.query(killRunsSql, [id, channels.runs]);
      return rowCount === 1;
    });
  }

  async setPaused(visibleTo: string, id: string, change: PauseChange): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE tasks t SET is_paused = $3, status = CASE WHEN $3 THEN 'paused' ELSE 'started' END,
         next_run_at = CASE WHEN $3 THEN NULL ELSE $4::timestamptz END, updated_at = now()
       FROM workspace_members m
       WHERE t.id = $2 AND m.workspace_id = t.workspace_id AND m.user_id = $1 AND NOT t.is_killed AND t.kind <> 'once'`,
      [visibleTo, id, change.isPaused, change.isPaused ? null : change.nextRunAt],
    );
    return rowCount === 1;
  }

  async #withRuns(rows: readonly TaskRow[], runLimit: number): Promise<Task[]> {
    if (rows.length === 0 || runLimit === 0) return rows.map((row) => toTask(row, []));
    const { rows: runs } = await this.#pool.query<RunRow>(
      `SELECT ${runColumns} FROM unnest($1::uuid[]) AS ids(id)
       CROSS JOIN LATERAL (
         SELECT * FROM runs WHERE task_id = ids.id ORDER BY created_at DESC, id DESC LIMIT $2) r
       ORDER BY r.created_at, r.id`,
      [rows.map((row) => row.id), runLimit],
    );
    const byTask = Map.groupBy(runs, (run) => run.task_id);
    return rows.map((row) => toTask(row, byTask.get(row.id) ?? []));
  }
}

const selectTasks = `
  SELECT t.*, o.sha AS orchestration_sha FROM tasks t
  JOIN workspace_members m ON m.workspace_id = t.workspace_id AND m.user_id = $1
  JOIN orchestrations o ON o.id = t.orchestration_id`;

const addSql = `
  WITH task AS (
    INSERT INTO tasks (id, workspace_id, orchestration_id, name, kind, status, input_data, schedule, time_zone,
      overlap_policy, missed_run_policy, timeout_seconds, max_attempts, next_run_at, created_by_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id),
  run AS (
    INSERT INTO runs (id, task_id, state, max_attempts, start_deadline)
    SELECT $16::uuid, task.id, 'pending', $17::int, now() + $18::int * interval '1 second' FROM task
    WHERE $16::uuid IS NOT NULL RETURNING id)
  SELECT pg_notify($19, '') FROM task LEFT JOIN run ON true`;

const killTaskSql = `
  UPDATE tasks t SET is_killed = true, status = 'pending_kill', next_run_at = NULL,
    updated_at = CASE WHEN t.is_killed THEN t.updated_at ELSE now() END
  FROM workspace_members m
  WHERE t.id = $2 AND m.workspace_id = t.workspace_id AND m.user_id = $1`;

/**
 * One UPDATE for all, which looks again at a row that a claim has locked meanwhile: what nobody has begun is over, and
 * the rest keeps its lease until its worker, or the rescuer, has written the end.
 */
const killRunsSql = `
  WITH ended AS (
    UPDATE runs SET cancel_requested_at = now(), updated_at = now(),
      finished_at = CASE WHEN state = 'pending' THEN now() END,
      reason = CASE WHEN state = 'pending' THEN 'killed_by_user' END,
      reason_text = CASE WHEN state = 'pending' THEN 'The run was killed before it began.' END,
      state = CASE WHEN state = 'pending' THEN 'killed' ELSE state END
    WHERE task_id = $1 AND state IN ('pending', 'claimed', 'running') AND cancel_requested_at IS NULL
    RETURNING id, attempt, state),
  events AS (
    INSERT INTO run_events (run_id, attempt, kind, detail)
    SELECT id, attempt, CASE WHEN state = 'killed' THEN 'finished' ELSE 'kill_requested' END,
      CASE WHEN state = 'killed' THEN 'killed_by_user' END FROM ended)
  SELECT pg_notify($2, '')`;

interface TaskRow {
  readonly id: string;
  readonly workspace_id: number;
  readonly orchestration_id: string;
  readonly orchestration_sha: string;
  readonly name: string | null;
  readonly kind: string;
  readonly status: string;
  readonly input_data: Task['inputData'];
  readonly schedule: string | null;
  readonly time_zone: string;
  readonly overlap_policy: string;
  readonly missed_run_policy: string;
  readonly timeout_seconds: number;
  readonly max_attempts: number;
  readonly is_killed: boolean;
  readonly is_paused: boolean;
  readonly next_run_at: Date | null;
  readonly created_by_id: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

function toTask(row: TaskRow, runs: readonly RunRow[]): Task {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    orchestrationId: row.orchestration_id,
    orchestrationSha: row.orchestration_sha,
    name: row.name,
    kind: row.kind as TaskKind,
    status: row.status as TaskStatus,
    inputData: row.input_data,
    schedule: row.schedule,
    timeZone: row.time_zone,
    overlapPolicy: row.overlap_policy as Task['overlapPolicy'],
    missedRunPolicy: row.missed_run_policy as Task['missedRunPolicy'],
    timeoutSeconds: row.timeout_seconds,
    maxAttempts: row.max_attempts,
    isKilled: row.is_killed,
    isPaused: row.is_paused,
    nextRunAt: row.next_run_at,
    createdById: row.created_by_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastRuns: runs.map(toRun),
  };
}
