import { scriptStep } from '../python/script-step.ts';
import { modelRun } from './model-run.ts';
import type { StepFactory } from './pipeline-step.ts';

/** Runs one model or script; its outputs are what the next step reads. */
export const modelInference: StepFactory<'ModelInference'> = ({ models }, { registry, script: findScript }) => {
  const script = findScript(models[0]!);
  if (script !== null) return scriptStep(script);
  const { hints, run } = modelRun(models[0]!, registry);
  return { hints, checkNames: [], isRowWise: true, run };
};
