import type { TaskKind, TaskStatus } from '@pademelon/contracts';
import type { JsonObject } from '../plain-json.ts';
import type { Run } from '../runs/run.ts';

/** What a due slot does while an earlier run of the task is unfinished. */
export const overlapPolicies = ['skip', 'queue', 'allow'] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** Which of the slots that passed while nobody enqueued are made up: the newest, none, or all. */
export const missedRunPolicies = ['last', 'skip', 'all'] as const;
export type MissedRunPolicy = (typeof missedRunPolicies)[number];

/** An orchestration with arguments, to be run once, on a schedule or without end. */
export interface Task {
  readonly id: string;
  readonly workspaceId: number;
  readonly orchestrationId: string;
  readonly orchestrationSha: string;
  readonly name: string | null;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  /** What task_args() returns. */
  readonly inputData: JsonObject;
  /** Cron text as it was sent; null unless the task is scheduled. */
  readonly schedule: string | null;
  readonly timeZone: string;
  readonly overlapPolicy: OverlapPolicy;
  readonly missedRunPolicy: MissedRunPolicy;
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  readonly isKilled: boolean;
  readonly isPaused: boolean;
  readonly nextRunAt: Date | null;
  readonly createdById: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The newest runs, oldest of them first: both SDKs show the last one as the task's last run. */
  readonly lastRuns: readonly Run[];
}
