import type { StopOrder } from '@pademelon/domain';

/** What a worker and the supervisor of one run say to each other over the supervisor's IPC channel. */

export interface SupervisorPlan {
  /** Program and arguments: bubblewrap with its jail, or the interpreter where there is no jail. */
  readonly command: string;
  readonly args: readonly string[];
  /** The environment of that program itself; the jail's is among its arguments. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
  /** File with the seccomp program, which becomes descriptor 3 of the command; null without a jail. */
  readonly seccompFile: string | null;
  readonly isJail: boolean;
  readonly timeoutMs: number;
  /** Between the polite end and the forced one. */
  readonly graceMs: number;
  /** When the lease is over, by the monotonic clock of the machine, which the supervisor shares with the worker. */
  readonly leaseUntilMs: number;
  readonly limits: SupervisorLimits;
}

export interface SupervisorLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  /** Files in each of the jail's own file systems. */
  readonly files: number;
  /** Bytes of output kept; what comes after is read and thrown away. */
  readonly logBytes: number;
}

export type ToSupervisor =
  | { readonly type: 'start'; readonly plan: SupervisorPlan }
  /** The lease was renewed; without this the supervisor kills the run when the old one is over. */
  | { readonly type: 'lease'; readonly leaseUntilMs: number }
  | { readonly type: 'stop'; readonly cause: StopCause };

/** Why a run was ended before its code was done. */
export type StopCause =
  | StopOrder
  | 'shutdown'
  | 'timeout'
  | 'lease_lost'
  | 'out_of_memory'
  | 'too_many_processes'
  | 'disk_full';

export type FromSupervisor =
  | {
      readonly type: 'output';
      readonly stream: 'stdout' | 'stderr';
      readonly timeMs: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: 'ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
      /** Null when the code ended by itself. */
      readonly cause: StopCause | null;
      readonly isLogCut: boolean;
    };
