import { type SdkGeneration, sdkGeneration } from '@pademelon/contracts';
import type { Run, Task } from '@pademelon/domain';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { runWord, taskWord } from '../../dialects/run-words.ts';

const Time = Type.String();
const TimeOrNull = Type.Union([Time, Type.Null()]);

/** The first keys are what the SDKs read; the others tell what their status words leave out. */
export const RunRecord = Type.Object({
  run_id: Type.String(),
  task: Type.String(),
  /** In the words of the SDK that asks: running until the run has ended. */
  status: Type.String(),
  created_at: Time,
  updated_at: Time,
  /** pending, claimed, running, success, failure, killed or timed_out. */
  state: Type.String(),
  /** Why it ended, as a stable word and as a sentence. */
  reason: Type.Union([Type.String(), Type.Null()]),
  reason_text: Type.Union([Type.String(), Type.Null()]),
  exit_code: Type.Union([Type.Integer(), Type.Null()]),
  attempt: Type.Integer(),
  /** How its code was kept apart: jail, or process where it was not. Null before it started. */
  sandbox: Type.Union([Type.String(), Type.Null()]),
  /** The slot of its schedule that it serves. */
  scheduled_for: TimeOrNull,
  started_at: TimeOrNull,
  finished_at: TimeOrNull,
});

export const TaskRecord = Type.Object({
  id: Type.String(),
  name: Type.Union([Type.String(), Type.Null()]),
  workspace_id: Type.Integer(),
  orch_id: Type.String(),
  orch_sha: Type.String(),
  status: Type.String(),
  killed: Type.Boolean(),
  paused: Type.Boolean(),
  input_data: Type.Record(Type.String(), Type.Unknown()),
  created_at: Time,
  updated_at: Time,
  created_by: Type.String(),
  /** The newest runs, oldest of them first. */
  last_runs: Type.Array(RunRecord),
  /** By this the 2026 SDK tells Temporary, Scheduled and Continuous Runs apart. */
  run_type: Type.Enum(['Oneshot', 'CronJob', 'NetworkService']),
  /** By these three the 2023 SDK does. */
  schedule: Type.Optional(Type.String()),
  service_name: Type.Optional(Type.String()),
  image: Type.String(),
  timeout: Type.Integer(),
  max_attempts: Type.Integer(),
  time_zone: Type.Optional(Type.String()),
  overlap_policy: Type.Optional(Type.String()),
  missed_run_policy: Type.Optional(Type.String()),
  /** Null while the task is paused, once it is killed, and when its schedule is over. */
  next_run_at: Type.Optional(TimeOrNull),
});

export const TaskIdReply = Type.Object({ id: Type.String() });

export function generationOf(request: FastifyRequest): SdkGeneration {
  return sdkGeneration(request.headers['user-agent']);
}

export function toRunRecord(run: Run, generation: SdkGeneration): Static<typeof RunRecord> {
  return {
    run_id: run.id,
    task: run.taskId,
    status: runWord(run.state, generation),
    created_at: run.createdAt.toISOString(),
    updated_at: run.updatedAt.toISOString(),
    state: run.state,
    reason: run.reason,
    reason_text: run.reasonText,
    exit_code: run.exitCode,
    attempt: run.attempt,
    sandbox: run.sandbox,
    scheduled_for: toIso(run.scheduledFor),
    started_at: toIso(run.startedAt),
    finished_at: toIso(run.finishedAt),
  };
}

const runTypes = { once: 'Oneshot', scheduled: 'CronJob', continuous: 'NetworkService' } as const;

export function toTaskRecord(task: Task, generation: SdkGeneration): Static<typeof TaskRecord> {
  return {
    id: task.id,
    name: task.name,
    workspace_id: task.workspaceId,
    orch_id: task.orchestrationId,
    orch_sha: task.orchestrationSha,
    status: taskWord(task.status, generation),
    killed: task.isKilled,
    paused: task.isPaused,
    input_data: task.inputData,
    created_at: task.createdAt.toISOString(),
    updated_at: task.updatedAt.toISOString(),
    created_by: task.createdById,
    last_runs: task.lastRuns.map((run) => toRunRecord(run, generation)),
    run_type: runTypes[task.kind],
    ...(task.kind === 'continuous' ? { service_name: task.name ?? task.id } : {}),
    // Not a picture of anything: a part of this name makes the 2023 SDK write "Temporary Run".
    image: 'pademelon/arbex-orch-deploy',
    timeout: task.timeoutSeconds,
    max_attempts: task.maxAttempts,
    ...(task.schedule === null ? {} : toScheduleKeys(task, task.schedule)),
  };
}

function toScheduleKeys(task: Task, schedule: string) {
  return {
    schedule,
    time_zone: task.timeZone,
    overlap_policy: task.overlapPolicy,
    missed_run_policy: task.missedRunPolicy,
    next_run_at: toIso(task.nextRunAt),
  };
}

function toIso(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}
