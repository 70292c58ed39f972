import { DomainError } from '../domain-error.ts';
import { parseSteps } from '../pipelines/steps/parse-steps.ts';
import { type ModelReference, modelsOf } from '../pipelines/steps/pipeline-step.ts';
import { requireServable } from '../pipelines/steps/unsupported-steps.ts';
import type { DeployableModel } from './deployment.ts';

/** The models that the steps name. Throws when there is no step, or one that cannot be served. */
export function requireServableSteps(definition: readonly unknown[]): ModelReference[] {
  const steps = parseSteps(definition);
  if (steps.length === 0) {
    throw new DomainError('invalid_input', 'The pipeline has no steps to deploy; add a model step first.');
  }
  requireServable(steps);
  return steps.flatMap(modelsOf);
}

/**
 * The models in the order in which they are named, each once. A model must be in the pipeline's own workspace, else the
 * members of one workspace would use what is in another; one that does not exist at all gets the same answer.
 */
export function requireModels(
  references: readonly ModelReference[],
  found: readonly DeployableModel[],
): DeployableModel[] {
  const models = new Map<string, DeployableModel>();
  for (const reference of references) {
    const model = found.find((candidate) => candidate.version === reference.version);
    if (model === undefined || model.name !== reference.name || model.sha !== reference.sha) {
      throw new DomainError('not_found', `The pipeline's workspace has no model ${describe(reference)}.`);
    }
    // One that is still being packaged may be deployed: its pods start when it is ready.
    if (model.status === 'error') {
      throw new DomainError(
        'invalid_input',
        `The model ${describe(reference)} cannot be served: it could not be packaged; its upload log says why.`,
      );
    }
    models.set(model.version, model);
  }
  return [...models.values()];
}

/** One configuration for each model: the one that was asked for, else its newest. */
export function chooseModelConfigs(models: readonly DeployableModel[], asked: readonly number[]): number[] {
  const stray = asked.find((id) => !models.some((model) => model.configIds.includes(id)));
  if (stray !== undefined) {
    throw new DomainError('invalid_input', `Model configuration ${stray} is of no model in the pipeline.`);
  }
  return models.flatMap((model) => model.configIds.find((id) => asked.includes(id)) ?? model.configIds[0] ?? []);
}

function describe({ name, version, sha }: ModelReference): string {
  return `${JSON.stringify(name)}, version ${version}, with the hash ${JSON.stringify(sha.slice(0, 64))}`;
}
