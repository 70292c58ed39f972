import type { TaskKind } from '@pademelon/contracts';
import type { JsonObject } from '../plain-json.ts';
import type { MissedRunPolicy, OverlapPolicy, Task } from './task.ts';

/**
 * Where tasks are kept. Every method but `add` sees only what is in the workspaces of the user it works for. Writes that
 * concern workers notify them at commit.
 */
export interface TaskStore {
  /** The database's clock, which alone decides what is due. */
  now(): Promise<Date>;
  /** Adds the task, and in the same transaction its first run where one is given. Checks nobody's rights. */
  add(task: NewTask, firstRun: NewRun | null): Promise<void>;
  /** With its newest runs, at most `runLimit`. */
  find(visibleTo: string, id: string, runLimit: number): Promise<Task | null>;
  /** Last changed first. */
  list(
    visibleTo: string,
    filter: TaskFilter,
    limits: { readonly tasks: number; readonly runs: number },
  ): Promise<Task[]>;
  /**
   * Marks it killed, ends its runs that nobody has claimed and asks for the end of the others, at once. Harmless when
   * repeated. Resolves to whether the user sees such a task.
   */
  kill(visibleTo: string, id: string): Promise<boolean>;
  /** Stops or goes on with making runs. Resolves to false when it is killed, runs once or is not to be seen. */
  setPaused(visibleTo: string, id: string, pause: PauseChange): Promise<boolean>;
}

export interface TaskFilter {
  /** Absent: all workspaces of the user. */
  readonly workspaceIds?: readonly number[] | undefined;
  readonly orchestrationIds?: readonly string[] | undefined;
  readonly orchestrationSha?: string | undefined;
  /** Killed tasks too. */
  readonly withKilled: boolean;
}

export type PauseChange =
  | { readonly isPaused: true }
  /** Slots that passed during the pause are not made up. */
  | { readonly isPaused: false; readonly nextRunAt: Date | null };

export interface NewTask {
  readonly id: string;
  readonly workspaceId: number;
  readonly orchestrationId: string;
  readonly name: string | null;
  readonly kind: TaskKind;
  readonly status: 'pending' | 'started';
  readonly inputData: JsonObject;
  readonly schedule: string | null;
  readonly timeZone: string;
  readonly overlapPolicy: OverlapPolicy;
  readonly missedRunPolicy: MissedRunPolicy;
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  readonly nextRunAt: Date | null;
  readonly createdById: string;
}

export interface NewRun {
  readonly id: string;
  readonly maxAttempts: number;
  /** A worker that has not claimed it by then, counted from now, never will. */
  readonly startWithinSeconds: number;
}
