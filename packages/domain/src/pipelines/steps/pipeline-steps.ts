/** The definition of a pipeline as the API checks it and pods run it; nothing else of the domain comes with it. */
export { answeringModels } from './answering-models.ts';
export { parseSteps } from './parse-steps.ts';
export type { ModelReference, PipelineStep, PipelineStepKind } from './pipeline-step.ts';
export { modelsOf } from './pipeline-step.ts';
export { type ModelFanOut, type PlannedStep, planSteps, type StepPlan } from './plan-steps.ts';
