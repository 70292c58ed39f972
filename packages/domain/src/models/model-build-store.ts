import type { PackagingVerdict } from '../packaging-verdict.ts';

/** A model version that a worker packages, under a lease. */
export interface ModelBuildJob {
  readonly id: string;
  readonly sha: string;
  /** As the uploader named it; its ending says what it is. */
  readonly fileName: string;
  /** Lines that came beside the file. */
  readonly requirements: readonly string[];
  readonly inputSchema: string | null;
  readonly outputSchema: string | null;
  readonly leaseToken: string;
  /** When this one fails for a reason of the platform's own, it ends in error. */
  readonly isLastAttempt: boolean;
}

/** The packager's writes; like a run's they carry the lease's token and are refused without it. */
export interface ModelBuildStore {
  /** The oldest that waits, or whose packager has lost its lease; null when there is none. */
  claimNext(leaseMs: number): Promise<ModelBuildJob | null>;
  /** Keeps the lease and shows the build log so far. False when the lease is lost. */
  renew(job: ModelBuildJob, leaseMs: number, buildLog: string): Promise<boolean>;
  finish(job: ModelBuildJob, verdict: PackagingVerdict): Promise<boolean>;
}
