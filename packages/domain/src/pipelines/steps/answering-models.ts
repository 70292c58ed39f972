import type { ModelReference } from './pipeline-step.ts';
import { modelsOf } from './pipeline-step.ts';
import type { PlannedStep } from './plan-steps.ts';

/** The models whose outputs the next step reads: of each row those of one of them, or the mean of all. */
export function answeringModels(step: PlannedStep): readonly ModelReference[] {
  switch (step.kind) {
    case 'ModelFanOut':
      return step.answering === 'average' ? step.models : [step.models[step.answering]!];
    case 'ModelInference':
      return step.models.slice(0, 1);
    case 'AverageRows':
      return [];
    default:
      return modelsOf(step);
  }
}
