import type { OrchestrationStatus } from '@pademelon/contracts';

/** An uploaded zip of code and the environment it needs. */
export interface Orchestration {
  readonly id: string;
  readonly workspaceId: number;
  readonly name: string | null;
  /** As the uploader named the file: a label, never a path. */
  readonly fileName: string;
  /** Name of the zip in the artifact store. */
  readonly sha: string;
  readonly sizeBytes: number;
  readonly status: OrchestrationStatus;
  /** Why it is in error, a sentence for the user. */
  readonly statusReason: string | null;
  readonly createdById: string;
  /** Null when that user is no more. */
  readonly createdByEmail: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
