import { DomainError } from '../domain-error.ts';

/** What tells pipelines apart as models of the Open Inference Protocol. */
export interface NamedPipeline {
  readonly pipelineName: string;
  readonly workspaceName: string;
}

/** The pipeline's name in `<pipeline>` or `<workspace>.<pipeline>`: it never holds a dot, a workspace's may. */
export function pipelineNameIn(modelName: string): string {
  return modelName.slice(modelName.lastIndexOf('.') + 1);
}

/**
 * The pipeline that a caller calls by this name, among all deployed ones that the caller may use. Throws `not_found`,
 * and `conflict` where the name is that of several.
 */
export function choosePipeline<T extends NamedPipeline>(modelName: string, usable: readonly T[]): T {
  const isQualified = modelName.includes('.');
  const found = usable.filter((pipeline) =>
    isQualified ? qualifiedName(pipeline) === modelName : pipeline.pipelineName === modelName,
  );
  const [pipeline, ...others] = found;
  if (pipeline === undefined) {
    throw new DomainError('not_found', `There is no model ${JSON.stringify(modelName)} that you can use.`);
  }
  if (others.length === 0) return pipeline;
  const names = found.map((each) => JSON.stringify(qualifiedName(each))).sort();
  throw new DomainError(
    'conflict',
    `You can use ${found.length} pipelines named ${JSON.stringify(modelName)}; name the workspace, too: ${names.join(', ')}.`,
  );
}

/** The shortest name that stands for this pipeline and no other that the caller may use. */
export function modelNameOf(pipeline: NamedPipeline, usable: readonly NamedPipeline[]): string {
  const sharing = usable.filter((each) => each.pipelineName === pipeline.pipelineName);
  return sharing.length > 1 ? qualifiedName(pipeline) : pipeline.pipelineName;
}

function qualifiedName({ workspaceName, pipelineName }: NamedPipeline): string {
  return `${workspaceName}.${pipelineName}`;
}
