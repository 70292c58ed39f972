import type { JsonObject } from '../plain-json.ts';

export interface Pipeline {
  readonly id: number;
  readonly workspaceId: number;
  readonly workspaceName: string;
  readonly name: string;
  readonly visibility: string;
  readonly ownerId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A pipeline version without its definition, which may be long: what lists are made of. */
export interface PipelineVersionHead {
  readonly id: number;
  readonly pipelineId: number;
  readonly pipelineName: string;
  readonly workspaceId: number;
  /** UUID. */
  readonly version: string;
  readonly createdById: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Never changed: every change of a pipeline is a new version. */
export interface PipelineVersion extends PipelineVersionHead {
  readonly definition: PipelineDefinition;
}

/** What clients send, with `id` (the pipeline's name) and `steps` filled in where they left them out. */
export interface PipelineDefinition extends JsonObject {
  readonly id: string;
  readonly steps: readonly unknown[];
}

/** Conditions that all must hold; an absent one holds for every pipeline. */
export interface PipelineFilter {
  readonly name?: string;
  readonly workspaceId?: number;
  readonly workspaceName?: string;
  /** False matches pipelines that were never deployed, too. */
  readonly isDeployed?: boolean;
}

/** Conditions that all must hold, the times inclusive. */
export interface PipelineVersionFilter {
  /** Part of the pipeline's name or of a tag on it, in any case, or the version's UUID; '' finds all. */
  readonly term: string;
  readonly pipeline: PipelineFilter;
  readonly ownerId?: string;
  readonly createdFrom?: Date;
  readonly createdTo?: Date;
  readonly updatedFrom?: Date;
  readonly updatedTo?: Date;
}
