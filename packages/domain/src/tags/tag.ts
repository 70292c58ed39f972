/** A short text that marks model versions and pipelines. Its text need not be unique. */
export interface Tag {
  readonly id: number;
  readonly tag: string;
  readonly ownerId: string;
  readonly createdAt: Date;
}

/** A tag on a model version. */
export interface ModelTag {
  readonly id: number;
  readonly modelVersionId: number;
  readonly tagId: number;
}

/** A tag on a pipeline. */
export interface PipelineTag {
  readonly id: number;
  readonly pipelineId: number;
  readonly tagId: number;
}
