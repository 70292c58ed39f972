import { randomUUID } from 'node:crypto';
import {
  type ClaimedRun,
  finalState,
  judgeAttempt,
  ownerInactive,
  type Renewal,
  type Run,
  type RunLease,
  type RunOutcome,
  type RunStore,
  type StopOrder,
  statesBefore,
} from '@pademelon/domain';
import type { Pool } from './pool.ts';

/**
 * The run core's writes on PostgreSQL. Each is one conditional statement (or one short transaction where an event is
 * written with it), decides by the database's clock, and carries the lease's token, so that whoever lost a run can no
 * longer write to it.
 */
export class PgRunStore implements RunStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async claim(
    runId: string,
    workerId: string,
    leaseMs: number,
    token: string = randomUUID(),
  ): Promise<ClaimedRun | null> {
    const { rows } = await this.#pool.query<ClaimRow>(claimSql, [runId, workerId, token, leaseMs, ownerInactive.text]);
    const row = rows[0] ?? (await this.#findClaim(runId, token));
    if (row === undefined || row.state !== 'claimed') return null;
    return {
      runId,
      taskId: row.task_id,
      workspaceId: row.workspace_id,
      orchestrationId: row.orchestration_id,
      userId: row.user_id,
      attempt: row.attempt,
      timeoutMs: row.timeout_seconds * 1_000,
      inputData: row.input_data,
      lease: { runId, token, durationMs: leaseMs },
    };
  }

  async #findClaim(runId: string, token: string): Promise<ClaimRow | undefined> {
    const { rows } = await this.#pool.query<ClaimRow>(
      `SELECT runs.state, runs.task_id, runs.attempt, tasks.workspace_id, tasks.orchestration_id,
         tasks.created_by_id AS user_id, tasks.timeout_seconds, tasks.input_data
       FROM runs JOIN tasks ON tasks.id = runs.task_id
       WHERE runs.id = $1 AND lease_token = $2 AND state = 'claimed' AND lease_expires_at > now()`,
      [runId, token],
    );
    return rows[0];
  }

  async listClaimable(limit: number): Promise<string[]> {
    const { rows } = await this.#pool.query<{ id: string }>(
      `SELECT runs.id FROM runs JOIN tasks ON tasks.id = runs.task_id
       WHERE state = 'pending' AND (not_before IS NULL OR not_before <= now()) AND start_deadline > now()
         -- Those that must wait for another run of their task would fill the list and hide what others wait for.
         AND NOT (tasks.overlap_policy = 'queue' AND EXISTS (
           SELECT FROM runs other WHERE other.task_id = tasks.id AND other.state IN ('claimed', 'running')))
       ORDER BY runs.created_at LIMIT $1`,
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  async renew(lease: RunLease): Promise<Renewal> {
    const { rows } = await this.#pool.query<{ must_stop: StopOrder | null }>(
      `UPDATE runs SET lease_expires_at = now() + $3 * interval '1 millisecond', updated_at = now()
       WHERE id = $1 AND lease_token = $2 AND state IN ('claimed', 'running') AND lease_expires_at > now()
       RETURNING CASE WHEN cancel_requested_at IS NOT NULL THEN 'killed' WHEN NOT ${ownerMayRun} THEN 'owner_inactive' END
         AS must_stop`,
      [lease.runId, lease.token, lease.durationMs],
    );
    const row = rows[0];
    return row === undefined ? { kind: 'lost' } : { kind: 'held', mustStop: row.must_stop };
  }

  async markStarted(lease: RunLease, sandbox: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `WITH moved AS (
         UPDATE runs SET state = 'running', sandbox = $3, updated_at = now(),
           started_at = CASE WHEN state = 'claimed' THEN now() ELSE started_at END
         WHERE id = $1 AND lease_token = $2 AND state = ANY($4) AND lease_expires_at > now()
           AND cancel_requested_at IS NULL AND ${ownerMayRun}
         RETURNING id, task_id, attempt, worker_id),
       task AS (
         UPDATE tasks SET status = 'started', updated_at = now()
         WHERE id = (SELECT task_id FROM moved) AND status = 'pending'),
       event AS (
         INSERT INTO run_events (run_id, attempt, kind, worker_id)
         SELECT id, attempt, 'started', worker_id FROM moved
         WHERE NOT EXISTS (SELECT FROM run_events old
           WHERE old.run_id = moved.id AND old.attempt = moved.attempt AND old.kind = 'started'))
       SELECT id FROM moved`,
      // Asked again when the answer was lost with the connection: the token says that it is the same attempt.
      [lease.runId, lease.token, sandbox, [...statesBefore('running'), 'running']],
    );
    return rowCount === 1;
  }

  async release(lease: RunLease): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `WITH moved AS (
         UPDATE runs SET state = 'pending', attempt = attempt - 1, worker_id = NULL, lease_token = NULL,
           lease_expires_at = NULL, updated_at = now()
         WHERE id = $1 AND lease_token = $2 AND state = 'claimed'
         RETURNING id, attempt)
       INSERT INTO run_events (run_id, attempt, kind) SELECT id, attempt + 1, 'released' FROM moved`,
      [lease.runId, lease.token],
    );
    return rowCount === 1;
  }

  async finish(lease: RunLease, outcome: RunOutcome): Promise<boolean> {
    const { rows } = await this.#pool.query<AttemptRow>(
      `SELECT id, attempt, max_attempts, lease_token, cancel_requested_at IS NOT NULL AS is_cancel_requested
       FROM runs WHERE id = $1 AND lease_token = $2 AND state IN ('claimed', 'running')`,
      [lease.runId, lease.token],
    );
    const row = rows[0];
    return row === undefined ? false : this.#endAttempt(row, outcome, 'TRUE');
  }

  async appendLog(lease: RunLease, firstLine: number, lines: readonly string[]): Promise<boolean> {
    if (lines.length === 0) return true;
    const { rowCount } = await this.#pool.query(
      `INSERT INTO run_log_chunks (run_id, first_line, line_count, text)
       SELECT id, $3, $4, $5 FROM runs
       WHERE id = $1 AND lease_token = $2 AND state IN ('claimed', 'running')
       FOR SHARE
       -- Sent again when the answer was lost with the connection: the same lines.
       ON CONFLICT (run_id, first_line) DO UPDATE SET line_count = EXCLUDED.line_count`,
      // PostgreSQL's text has no NUL.
      [lease.runId, lease.token, firstLine, lines.length, `${lines.join('\n')}\n`.replaceAll('\0', '\ufffd')],
    );
    return rowCount === 1;
  }

  async rescue(limit: number): Promise<string[]> {
    const { rows } = await this.#pool.query<AttemptRow & { is_late: boolean }>(
      `SELECT id, attempt, max_attempts, lease_token, cancel_requested_at IS NOT NULL AS is_cancel_requested,
         state = 'pending' AS is_late
       FROM runs
       WHERE (state IN ('claimed', 'running') AND lease_expires_at <= now())
          OR (state = 'pending' AND start_deadline <= now())
       ORDER BY updated_at LIMIT $1`,
      [limit],
    );
    const ended: string[] = [];
    for (const row of rows) {
      const outcome = row.is_late ? neverStarted : workerLost;
      const guard = row.is_late ? `state = 'pending' AND start_deadline <= now()` : 'lease_expires_at <= now()';
      if (await this.#endAttempt(row, outcome, guard)) ended.push(row.id);
    }
    return ended;
  }

  /** Moves a run on after an attempt; `guard` is SQL that must still hold when the row is written. */
  async #endAttempt(row: AttemptRow, outcome: RunOutcome, guard: string): Promise<boolean> {
    const verdict = judgeAttempt({
      reason: outcome.reason,
      attempt: row.attempt,
      maxAttempts: row.max_attempts,
      isCancelRequested: row.is_cancel_requested,
    });
    const isRetry = verdict.kind === 'retry';
    const state = isRetry ? 'pending' : finalState(verdict.reason);
    const text = !isRetry && verdict.reason !== outcome.reason ? 'The run was killed by a user.' : outcome.text;
    const { rowCount } = await this.#pool.query(
      `WITH moved AS (
         UPDATE runs SET state = $3, reason = $4, reason_text = $5, exit_code = $6,
           not_before = CASE WHEN $7::int IS NULL THEN NULL ELSE now() + $7 * interval '1 millisecond' END,
           finished_at = CASE WHEN $3 = 'pending' THEN NULL ELSE now() END,
           start_deadline = CASE WHEN $3 = 'pending' THEN now() + interval '1 hour' ELSE start_deadline END,
           worker_id = NULL, lease_token = NULL, lease_expires_at = NULL, updated_at = now()
         WHERE id = $1 AND lease_token IS NOT DISTINCT FROM $2 AND state = ANY($8) AND ${guard}
         RETURNING id, task_id, attempt),
       task AS (
         UPDATE tasks SET updated_at = now(),
           status = CASE WHEN status = 'pending' THEN 'started' ELSE status END
         WHERE id = (SELECT task_id FROM moved)),
       handed_out AS (
         DELETE FROM run_connections WHERE run_id = (SELECT id FROM moved))
       INSERT INTO run_events (run_id, attempt, kind, detail)
       SELECT id, attempt, $9, $4 FROM moved`,
      [
        row.id,
        row.lease_token,
        state,
        isRetry ? outcome.reason : verdict.reason,
        text,
        outcome.exitCode,
        isRetry ? verdict.delayMs : null,
        statesBefore(state),
        isRetry ? 'retry' : 'finished',
      ],
    );
    return rowCount === 1;
  }
}

const workerLost: RunOutcome = {
  reason: 'worker_lost',
  text: 'The worker that ran it did not answer any more, so the run was given up. It may have done part of its work.',
  exitCode: null,
};

const neverStarted: RunOutcome = {
  reason: 'not_started',
  text: 'No worker was free to start it before its deadline.',
  exitCode: null,
};

interface AttemptRow {
  readonly id: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly lease_token: string | null;
  readonly is_cancel_requested: boolean;
}

interface ClaimRow {
  readonly state: Run['state'];
  readonly task_id: string;
  readonly workspace_id: number;
  readonly orchestration_id: string;
  readonly user_id: string;
  readonly attempt: number;
  readonly timeout_seconds: number;
  readonly input_data: unknown;
}

/** Of a row of `runs`: whether the user who started its task is active and a member of the workspace. */
const ownerMayRun = `EXISTS (
  SELECT FROM tasks owned
  JOIN users ON users.id = owned.created_by_id AND users.is_enabled
  JOIN workspace_members members ON members.workspace_id = owned.workspace_id AND members.user_id = users.id
  WHERE owned.id = runs.task_id)`;

/**
 * One statement decides who has the run: the row is locked, skipped when another claim has it locked already, and moved
 * only from pending. A run whose owner was deactivated, or has left the workspace, ends here instead.
 */
const claimSql = `
  WITH candidate AS (
    SELECT runs.id, tasks.workspace_id, tasks.orchestration_id, tasks.created_by_id, tasks.timeout_seconds,
      tasks.input_data,
      ${ownerMayRun} AS may_run
    FROM runs
    JOIN tasks ON tasks.id = runs.task_id
    WHERE runs.id = $1 AND runs.state = 'pending' AND runs.cancel_requested_at IS NULL
      AND (runs.not_before IS NULL OR runs.not_before <= now()) AND runs.start_deadline > now()
      AND NOT (tasks.overlap_policy = 'queue' AND EXISTS (
        SELECT FROM runs other WHERE other.task_id = tasks.id AND other.state IN ('claimed', 'running')))
      -- PostgreSQL looks at a row again that has changed before it was locked, but at the other runs as they were. Every
      -- claim changes its task, so that a task which is not what it was may have been claimed for since.
      AND NOT (tasks.overlap_policy = 'queue' AND tasks.updated_at <> (
        SELECT before.updated_at FROM tasks before WHERE before.id = tasks.id))
    -- The task too: of two runs of one task that must not overlap, one claim is looked at after the other.
    FOR UPDATE OF runs, tasks SKIP LOCKED),
  moved AS (
    UPDATE runs SET
      state = CASE WHEN candidate.may_run THEN 'claimed' ELSE 'failure' END,
      reason = CASE WHEN candidate.may_run THEN NULL ELSE 'owner_inactive' END,
      reason_text = CASE WHEN candidate.may_run THEN NULL ELSE $5 END,
      finished_at = CASE WHEN candidate.may_run THEN NULL ELSE now() END,
      attempt = runs.attempt + CASE WHEN candidate.may_run THEN 1 ELSE 0 END,
      worker_id = CASE WHEN candidate.may_run THEN $2 END,
      lease_token = CASE WHEN candidate.may_run THEN $3::uuid END,
      lease_expires_at = CASE WHEN candidate.may_run THEN now() + $4 * interval '1 millisecond' END,
      updated_at = now()
    FROM candidate WHERE runs.id = candidate.id
    RETURNING runs.id, runs.state, runs.task_id, runs.attempt),
  task AS (
    UPDATE tasks SET updated_at = now(),
      status = CASE WHEN status = 'pending' AND (SELECT state FROM moved) = 'failure' THEN 'started' ELSE status END
    WHERE id = (SELECT task_id FROM moved)),
  event AS (
    INSERT INTO run_events (run_id, attempt, kind, worker_id, detail)
    SELECT id, attempt, CASE WHEN state = 'claimed' THEN 'claimed' ELSE 'finished' END, $2,
      CASE WHEN state = 'claimed' THEN NULL ELSE 'owner_inactive' END
    FROM moved)
  SELECT moved.state, moved.task_id, moved.attempt, candidate.workspace_id, candidate.orchestration_id,
    candidate.created_by_id AS user_id, candidate.timeout_seconds, candidate.input_data
  FROM moved JOIN candidate ON candidate.id = moved.id`;
