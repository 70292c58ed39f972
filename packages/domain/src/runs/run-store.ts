import type { RunOutcome } from './run.ts';

/** What a worker needs to execute an attempt; handed out by a claim. */
export interface ClaimedRun {
  readonly runId: string;
  readonly taskId: string;
  readonly workspaceId: number;
  readonly orchestrationId: string;
  /** The user who started the task, with whose rights it runs. */
  readonly userId: string;
  readonly attempt: number;
  readonly timeoutMs: number;
  readonly inputData: unknown;
  readonly lease: RunLease;
}

/**
 * The right to one attempt of one run. Every write of a worker carries the token, and the store refuses the write when
 * the run has moved on to another. The database's clock decides when a lease is over; the holder stops trusting its
 * lease earlier, by its own monotonic clock counted from before it asked.
 */
export interface RunLease {
  readonly runId: string;
  readonly token: string;
  readonly durationMs: number;
}

/** Why the platform ends a run: somebody wants it killed, or its owner may no longer run. */
export type StopOrder = 'killed' | 'owner_inactive';

/** What the holder of a lease learns at each renewal. */
export type Renewal =
  | { readonly kind: 'held'; readonly mustStop: StopOrder | null }
  /** Another attempt has the run, or it is final: the child must die and nothing more may be written. */
  | { readonly kind: 'lost' };

/** The writes of the run core: each is one conditional statement, and each tells whether it took effect. */
export interface RunStore {
  /**
   * Claims the run if it is pending and due, else resolves to null. A run whose owner may no longer run is finished as
   * failure (owner_inactive) instead and null is returned. Whoever asks again with the token of his first question gets
   * the claim that he has: its answer may have been lost with the connection.
   */
  claim(runId: string, workerId: string, leaseMs: number, token?: string): Promise<ClaimedRun | null>;
  /** Ids of runs that a worker could claim now, oldest first: the second way to hear of work, beside the doorbell. */
  listClaimable(limit: number): Promise<string[]>;
  renew(lease: RunLease): Promise<Renewal>;
  /** claimed → running, just before user code is started. False when the lease is lost or the run must stop. */
  markStarted(lease: RunLease, sandbox: string): Promise<boolean>;
  /** Back to pending without costing an attempt; only before user code was started. */
  release(lease: RunLease): Promise<boolean>;
  /** Ends the attempt: a final state, or pending again when judgeAttempt says so. False when the lease is lost. */
  finish(lease: RunLease, outcome: RunOutcome): Promise<boolean>;
  /** Appends whole log lines. False when the lease is lost. */
  appendLog(lease: RunLease, firstLine: number, lines: readonly string[]): Promise<boolean>;
  /** Ends or re-queues runs whose lease or start deadline is over by the database's clock. Resolves to their ids. */
  rescue(limit: number): Promise<string[]>;
}
