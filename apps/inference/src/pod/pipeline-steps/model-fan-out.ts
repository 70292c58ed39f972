import { DomainError } from '@pademelon/domain/domain-error';
import type { ModelReference } from '@pademelon/domain/pipeline-steps';
import type { ModelRegistry } from '../model-registry.ts';
import { averageResults } from './average.ts';
import { commonHints } from './input-hints.ts';
import { modelRun, modelRuns } from './model-run.ts';
import type { Flow, PipelineStep, SideResult, StepContext, StepFactory } from './pipeline-step.ts';

/** Several models on the same rows: one answers, or the mean of all does; the others' results stand beside it. */
export const modelFanOut: StepFactory<'ModelFanOut'> = (step, context) => {
  if (step.answering === 'average') return averageOfModels(step, context);
  const answering = modelRun(step.models[step.answering]!, context.registry);
  const challengers = [...step.answered, ...step.audited].map((index) => ({
    name: context.sideName(step.models[index]!),
    isAnswered: step.answered.includes(index),
    challenger: context.challenger(step.models[index]!, answering.inputNames),
  }));
  return {
    hints: answering.hints,
    checkNames: [],
    run(flow) {
      // Challengers that an answer waits for run elsewhere at the same time, so they are told first. What is only logged
      // has time until the answer is sent.
      const sides = challengers.map(({ name, isAnswered, challenger }): SideResult => {
        return { name, isAnswered, outputs: isAnswered ? challenger.run(flow) : () => challenger.run(flow) };
      });
      return addSides(answering.run(flow), sides);
    },
  };
};

/** All models are part of the answer then, so they run here, one after the other. */
function averageOfModels(
  { models: references, audited }: { models: readonly ModelReference[]; audited: readonly number[] },
  { registry, sideName, at }: StepContext,
): PipelineStep {
  requireNumbers(references, registry, at);
  const models = modelRuns(references, registry);
  const sides = audited.map((index) => ({ index, name: sideName(references[index]!) }));
  return {
    hints: commonHints(models.map(({ hints }) => hints)),
    checkNames: [],
    run(flow) {
      const results = models.map((model) => model.run(flow));
      const average = averageResults(
        results.map(({ columns }) => columns),
        at,
      );
      return addSides(
        { ...results[0]!, columns: average },
        sides.map(({ index, name }) => ({ name, isAnswered: false, outputs: results[index]!.columns })),
      );
    },
  };
}

/** Outputs that no request could average fail the deployment. */
function requireNumbers(references: readonly ModelReference[], registry: ModelRegistry, at: string): void {
  const counts = references.map(({ name, version }) => {
    const { outputs } = registry.find(name, version).session.signature;
    const text = outputs.find(({ type }) => type === 'utf8' || type === 'bool');
    if (text === undefined) return outputs.length;
    const model = JSON.stringify(name);
    throw new DomainError(
      'model_rejected',
      `${at}: the output ${JSON.stringify(text.name)} of model ${model} holds no numbers to average.`,
    );
  });
  if (new Set(counts).size === 1) return;
  throw new DomainError('model_rejected', `${at}: models that are averaged must have as many outputs each.`);
}

function addSides(flow: Flow, sides: readonly SideResult[]): Flow {
  return sides.length === 0 ? flow : { ...flow, sides: [...(flow.sides ?? []), ...sides] };
}
