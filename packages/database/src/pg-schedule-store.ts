import { randomUUID } from 'node:crypto';
import { channels } from '@pademelon/contracts';
import {
  DomainError,
  type DueTask,
  type EnqueueResult,
  planSlots,
  Schedule,
  type ScheduleStore,
  type SlotPlan,
} from '@pademelon/domain';
import { inTransaction } from './in-transaction.ts';
import type { Pool } from './pool.ts';

/** A run waits so long for a worker before it is given up as not started. */
const startWithin = '1 hour';

/** Due slots become runs: one transaction inserts them and moves the task on, so a slot is neither lost nor doubled. */
export class PgScheduleStore implements ScheduleStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async enqueueDue(limit: number): Promise<EnqueueResult> {
    return inTransaction(this.#pool, async (client) => {
      const { rows } = await client.query<DueRow>(dueSql, [limit]);
      const plans = rows.map((row) => ({ row, plan: planFor(row) }));
      const runs = plans.flatMap(({ row, plan }) => plan?.slots.map((slot) => ({ row, slot })) ?? []);
      await client.query(insertRunsSql, [
        runs.map(() => randomUUID()),
        runs.map(({ row }) => row.id),
        runs.map(({ slot }) => slot),
        runs.map(({ row }) => row.max_attempts),
      ]);
      await client.query(moveOnSql, [
        plans.map(({ row }) => row.id),
        plans.map(({ plan }) => plan?.nextRunAt ?? null),
        plans.map(({ plan }) => plan === null),
      ]);
      if (runs.length > 0) await client.query('SELECT pg_notify($1, $2)', [channels.runs, '']);
      const skipped = plans.reduce((sum, { plan }) => sum + (plan?.skipped ?? 0), 0);
      return { due: rows.length, runs: runs.length, skipped };
    });
  }

  async enqueueContinuous(limit: number): Promise<number> {
    const { rowCount } = await this.#pool.query(continuousSql, [limit, channels.runs]);
    return rowCount ?? 0;
  }
}

interface DueRow {
  readonly id: string;
  readonly schedule: string;
  readonly time_zone: string;
  readonly overlap_policy: DueTask['overlapPolicy'];
  readonly missed_run_policy: DueTask['missedRunPolicy'];
  readonly next_run_at: Date;
  readonly max_attempts: number;
  readonly is_busy: boolean;
  readonly pending_runs: number;
  readonly now: Date;
}

/** Null when the schedule cannot be read any more: the task is marked and left alone. */
function planFor(row: DueRow): SlotPlan | null {
  try {
    const schedule = Schedule.parse(row.schedule, row.time_zone);
    const due: DueTask = {
      nextRunAt: row.next_run_at,
      overlapPolicy: row.overlap_policy,
      missedRunPolicy: row.missed_run_policy,
      isBusy: row.is_busy,
      pendingRuns: row.pending_runs,
    };
    return planSlots(due, schedule, row.now);
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}

/**
 * PostgreSQL looks at a task again that has changed before it was locked, but at its runs as they were; one that another
 * enqueuer has just moved on is left to the next look, like those that are locked.
 */
const dueSql = `
  SELECT id, schedule, time_zone, overlap_policy, missed_run_policy, next_run_at, max_attempts, now() AS now,
    EXISTS (SELECT FROM runs WHERE runs.task_id = tasks.id AND runs.state IN ('pending', 'claimed', 'running')) AS is_busy,
    (SELECT count(*)::int FROM runs WHERE runs.task_id = tasks.id AND runs.state = 'pending') AS pending_runs
  FROM tasks
  WHERE next_run_at <= now() AND kind = 'scheduled' AND NOT is_killed AND NOT is_paused
    AND next_run_at = (SELECT before.next_run_at FROM tasks before WHERE before.id = tasks.id)
  ORDER BY next_run_at LIMIT $1
  FOR UPDATE SKIP LOCKED`;

const insertRunsSql = `
  INSERT INTO runs (id, task_id, state, scheduled_for, max_attempts, start_deadline)
  SELECT id, task_id, 'pending', scheduled_for, max_attempts, now() + interval '${startWithin}'
  FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[]) AS new(id, task_id, scheduled_for, max_attempts)
  ON CONFLICT (task_id, scheduled_for) DO NOTHING`;

const moveOnSql = `
  UPDATE tasks SET next_run_at = plan.next_run_at,
    status = CASE WHEN plan.is_broken THEN 'schedule_error' ELSE tasks.status END
  FROM unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) AS plan(id, next_run_at, is_broken)
  WHERE tasks.id = plan.id`;

/**
 * A continuous task whose run failed waits ten seconds before the next one, so that a broken one does not spin. Whoever
 * adds a run changes its task, so that another enqueuer, who still sees the runs as they were, finds that it has changed.
 */
const continuousSql = `
  WITH idle AS (
    SELECT tasks.id, tasks.max_attempts FROM tasks
    LEFT JOIN LATERAL (
      SELECT state, finished_at FROM runs WHERE runs.task_id = tasks.id ORDER BY created_at DESC LIMIT 1) last ON true
    WHERE tasks.kind = 'continuous' AND NOT tasks.is_killed AND NOT tasks.is_paused
      AND (last.state IS NULL OR last.state = 'success' AND last.finished_at <= now() - interval '1 second'
        OR last.state IN ('failure', 'killed', 'timed_out') AND last.finished_at <= now() - interval '10 seconds')
      AND tasks.updated_at = (SELECT before.updated_at FROM tasks before WHERE before.id = tasks.id)
    LIMIT $1 FOR UPDATE OF tasks SKIP LOCKED),
  added AS (
    INSERT INTO runs (id, task_id, state, max_attempts, start_deadline)
    SELECT gen_random_uuid(), id, 'pending', max_attempts, now() + interval '${startWithin}' FROM idle RETURNING id),
  changed AS (UPDATE tasks SET updated_at = now() WHERE id IN (SELECT id FROM idle))
  SELECT pg_notify($2, '') FROM added`;
