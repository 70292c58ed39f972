import type { RequestForm } from './request-form.ts';

/** One server under load, set up for one model with two processes' worth of serving. */
export interface Target {
  readonly name: string;
  start(modelPath: string): Promise<RunningTarget>;
}

export interface RunningTarget {
  /** Addresses that serve the same thing; a load generator spreads its connections over them. */
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: that of a pipeline. */
  readonly form?: RequestForm;
  /** From the command to the first right answer. */
  readonly startMs: number;
  /** Resident memory of all its processes, in bytes. */
  memoryBytes(): number;
  /** CPU time that its processes have used so far, in milliseconds; where somebody asks for it. */
  cpuMs?(): number;
  stop(): Promise<void>;
}

/** A target that this machine cannot run; the message says why and the bench goes on without it. */
export class TargetUnavailable extends Error {
  override readonly name = 'TargetUnavailable';
}
