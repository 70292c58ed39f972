import type { PackagingVerdict } from '../packaging-verdict.ts';

/** An orchestration that a worker packages, under a lease. */
export interface PackagingJob {
  readonly id: string;
  readonly sha: string;
  readonly leaseToken: string;
  /** When this one fails for a reason of the platform's own, it ends in error. */
  readonly isLastAttempt: boolean;
}

export interface PackagingResult extends PackagingVerdict {
  readonly entryPoint: string | null;
  readonly environmentHash: string | null;
}

/** The packager's writes; like a run's they carry the lease's token and are refused without it. */
export interface PackagingStore {
  /** The oldest that waits, or whose packager has lost its lease; null when there is none. */
  claimNext(leaseMs: number): Promise<PackagingJob | null>;
  /** Keeps the lease and shows the build log so far. False when the lease is lost. */
  renew(job: PackagingJob, leaseMs: number, buildLog: string): Promise<boolean>;
  finish(job: PackagingJob, result: PackagingResult): Promise<boolean>;
}
