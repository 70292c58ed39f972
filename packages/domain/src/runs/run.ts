import type { RunReason, RunState } from '@pademelon/contracts';

/** One execution of a task's code. */
export interface Run {
  readonly id: string;
  readonly taskId: string;
  readonly state: RunState;
  readonly reason: RunReason | null;
  /** The reason as a sentence for the user. */
  readonly reasonText: string | null;
  readonly exitCode: number | null;
  /** The slot that it serves; null for runs that no schedule asked for. */
  readonly scheduledFor: Date | null;
  /** 0 before the first claim, then the number of the attempt that runs or ran last. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly startDeadline: Date;
  readonly cancelRequestedAt: Date | null;
  readonly workerId: string | null;
  readonly sandbox: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** How an attempt ended, told by whoever saw its end. */
export interface RunOutcome {
  readonly reason: RunReason;
  readonly text: string;
  readonly exitCode: number | null;
}

/** How a run ends whose user may no longer run anything in its workspace. */
export const ownerInactive: RunOutcome = {
  reason: 'owner_inactive',
  text: 'The user who started the task is deactivated or no longer a member of its workspace.',
  exitCode: null,
};
