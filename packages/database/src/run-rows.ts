import type { RunReason, RunState } from '@pademelon/contracts';
import type { Run } from '@pademelon/domain';

/** The columns of `runs` that readers see, under the alias `r`. */
export const runColumns = `r.id, r.task_id, r.state, r.reason, r.reason_text, r.exit_code, r.scheduled_for, r.attempt,
  r.max_attempts, r.start_deadline, r.cancel_requested_at, r.worker_id, r.sandbox, r.started_at, r.finished_at,
  r.created_at, r.updated_at`;

export interface RunRow {
  readonly id: string;
  readonly task_id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly reason_text: string | null;
  readonly exit_code: number | null;
  readonly scheduled_for: Date | null;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly start_deadline: Date;
  readonly cancel_requested_at: Date | null;
  readonly worker_id: string | null;
  readonly sandbox: string | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export function toRun(row: RunRow): Run {
  return {
    id: row.id,
    taskId: row.task_id,
    state: row.state as RunState,
    reason: row.reason as RunReason | null,
    reasonText: row.reason_text,
    exitCode: row.exit_code,
    scheduledFor: row.scheduled_for,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    startDeadline: row.start_deadline,
    cancelRequestedAt: row.cancel_requested_at,
    workerId: row.worker_id,
    sandbox: row.sandbox,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
