import { DomainError } from '@pademelon/domain/domain-error';
import { answeringModels, type PlannedStep, parseSteps, planSteps } from '@pademelon/domain/pipeline-steps';
import type { InputBatch, InputHints } from './input-batch.ts';
import type { ModelRegistry } from './model-registry.ts';
import { joinParts } from './pipeline-steps/join-parts.ts';
import type { Flow, PipelineStep, StepContext, StepFactory } from './pipeline-steps/pipeline-step.ts';
import { splitColumn } from './pipeline-steps/split-marks.ts';
import { stepKinds } from './pipeline-steps/step-kinds.ts';

export interface PipelineOptions {
  readonly challenger: StepContext['challenger'];
  readonly script: StepContext['script'];
  readonly random: StepContext['random'];
}

const defaults: PipelineOptions = {
  challenger: ({ name }) => {
    throw new DomainError('unsupported', `The model ${JSON.stringify(name)} cannot run beside another one here.`);
  },
  script: () => null,
  random: Math.random,
};

/** A pipeline definition made ready to run: its steps in order, each reading what the one before it left. */
export class Pipeline {
  readonly #steps: readonly PipelineStep[];
  /** For each step the names of the models whose outputs it leaves. */
  readonly #answering: readonly (readonly string[])[];
  readonly #keepsModelRuns: boolean;
  readonly hints: InputHints;
  readonly checkNames: readonly string[];
  /** Whether it reads none but the hinted columns: models in a row do not look at others, all else may. */
  readonly takesOnlyHinted: boolean;
  /** Whether rows of several requests may pass through it together. */
  readonly isRowWise: boolean;
  /** Whether a step runs in another process: `runLater` is to be used then. */
  readonly hasScripts: boolean;
  /** Whether challengers run beside the models that answer, so that results may have to be waited for. */
  readonly hasChallengers: boolean;

  /** Throws a DomainError that names the step which cannot be interpreted. */
  constructor(definition: readonly unknown[], registry: ModelRegistry, options: Partial<PipelineOptions> = {}) {
    if (definition.length === 0) throw new DomainError('model_rejected', 'The pipeline has no steps.');
    const { steps, complaints } = planSteps(parseSteps(definition));
    if (complaints.length > 0) throw new DomainError('model_rejected', complaints.join(' '));
    const parts = { ...defaults, ...options, registry, sideName: uniqueNames() };
    const answering = steps.map(({ step }) => answeringModels(step));
    this.#steps = steps.map(({ at, step }, index) =>
      makeStep(step, { ...parts, at, modelsBefore: answering.slice(0, index).flat() }),
    );
    this.hints = firstHints(this.#steps);
    this.checkNames = [...new Set(this.#steps.flatMap((step) => step.checkNames))].sort();
    this.#answering = answering.map((models) => models.map(({ name }) => name));
    this.#keepsModelRuns = this.#steps.some((step) => step.readsModelRuns === true);
    this.hasScripts = this.#steps.some((step) => step.runLater !== undefined);
    this.takesOnlyHinted = !this.hasScripts && steps.every(({ step }) => step.kind === 'ModelInference');
    this.isRowWise = this.#steps.every((step) => step.isRowWise === true);
    this.hasChallengers = steps.some(({ step }) => hasChallengers(step));
  }

  run(batch: InputBatch): Flow {
    let flow = enter(batch);
    for (let index = 0; index < this.#steps.length; index += 1) {
      const before = flow;
      flow = this.#steps[index]!.run(before);
      if (this.#keepsModelRuns) flow = addModelRun(before, flow, this.#answering[index]!);
    }
    return leave(flow);
  }

  /** The same for a pipeline with scripts; the batch must not change meanwhile. */
  async runLater(batch: InputBatch): Promise<Flow> {
    let flow = enter(batch);
    for (const [index, step] of this.#steps.entries()) {
      const before = flow;
      flow = step.runLater === undefined ? step.run(before) : await step.runLater(before);
      if (this.#keepsModelRuns) flow = addModelRun(before, flow, this.#answering[index]!);
    }
    return leave(flow);
  }
}

function enter({ rowCount, columns }: InputBatch): Flow {
  return { rowCount, request: columns, columns, isChained: false, lastModel: null, checks: [] };
}

function leave(done: Flow): Flow {
  let flow = done;
  if (flow.partsPerRow !== undefined) flow = joinParts(flow, flow.partsPerRow);
  if (flow.splitMarks !== undefined) flow = { ...flow, columns: [...flow.columns, splitColumn(flow.splitMarks)] };
  return flow;
}

function addModelRun(before: Flow, after: Flow, models: readonly string[]): Flow {
  if (models.length === 0) return after;
  const { rowCount, columns: inputs } = before;
  const run = { models, rowCount, inputs, outputs: after.columns };
  return { ...after, modelRuns: [...(before.modelRuns ?? []), run] };
}

function makeStep<Kind extends PlannedStep['kind']>(
  step: Extract<PlannedStep, { kind: Kind }>,
  context: StepContext,
): PipelineStep {
  const factory = stepKinds[step.kind as Kind] as StepFactory<Kind> | undefined;
  if (factory === undefined) throw new DomainError('unsupported', `${context.at} is of a kind that is not served.`);
  return factory(step, context);
}

function hasChallengers(step: PlannedStep): boolean {
  return step.kind === 'ModelFanOut' && step.answering !== 'average' && step.answered.length + step.audited.length > 0;
}

/** The first step that knows how it wants columns decides; what steps before it change is taken into account. */
function firstHints(steps: readonly PipelineStep[]): InputHints {
  const deciding = steps.findIndex((step) => step.hints !== null);
  const before = steps.slice(0, Math.max(deciding, 0));
  return before.reduceRight((hints, step) => step.adaptHints?.(hints) ?? hints, steps[deciding]?.hints ?? new Map());
}

function uniqueNames(): StepContext['sideName'] {
  const counts = new Map<string, number>();
  return ({ name }) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  };
}
