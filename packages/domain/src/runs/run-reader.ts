import type { RunState } from '@pademelon/contracts';
import type { Run } from './run.ts';

/** A line of a run's log and its number, which grows along the log but may skip. */
export interface LogLine {
  readonly number: number;
  /** `<ISO time> <stdout|stderr> F <text>` */
  readonly text: string;
}

/** What is known of runs, for those who watch them. Only what is in the workspaces of the user it reads for is seen. */
export interface RunReader {
  find(visibleTo: string, runId: string): Promise<Run | null>;
  /** Newest first. Null when the user sees no such task. */
  listOfTask(visibleTo: string, taskId: string, filter: RunFilter): Promise<Run[] | null>;
  /** The last lines of the log, oldest of them first. Checks nobody's rights. */
  readLastLines(runId: string, limits: RunLogLimits): Promise<LogLine[]>;
  /** Lines from the number on, in order. Checks nobody's rights. */
  readLinesFrom(runId: string, from: number, limits: RunLogLimits): Promise<LogLine[]>;
}

export interface RunFilter {
  /** Absent: all. */
  readonly states?: readonly RunState[] | undefined;
  readonly limit: number;
}

/** Reading stops at whichever comes first. */
export interface RunLogLimits {
  readonly lines: number;
  readonly bytes: number;
}
