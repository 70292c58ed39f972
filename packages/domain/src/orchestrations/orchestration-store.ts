import type { Orchestration } from './orchestration.ts';

/** Where orchestrations are kept. Reading methods see only what is in the workspaces of the user they read for. */
export interface OrchestrationStore {
  /** Adds it as pending_packaging. Does not check whether the creator may write there. */
  add(input: NewOrchestration): Promise<void>;
  find(visibleTo: string, id: string): Promise<Orchestration | null>;
  /** Last changed first. `workspaceIds` absent: all of the user's. */
  list(visibleTo: string, workspaceIds?: readonly number[]): Promise<Orchestration[]>;
  findBuildLog(visibleTo: string, id: string): Promise<string | null>;
}

export interface NewOrchestration {
  readonly id: string;
  readonly workspaceId: number;
  readonly name: string | null;
  readonly fileName: string;
  readonly sha: string;
  readonly sizeBytes: number;
  readonly createdById: string;
}
