import type { ModelReference, PipelineStep } from './pipeline-step.ts';

/** Several models on the same input: one answers, the others are its challengers. */
export interface ModelFanOut {
  readonly kind: 'ModelFanOut';
  readonly models: readonly ModelReference[];
  /** Index of the model whose outputs go on to the next step; `average`: the mean of all of them does. */
  readonly answering: number | 'average';
  /** Indices of the models whose outputs are answered, and logged, beside it. */
  readonly answered: readonly number[];
  /** Indices of the models whose outputs are only logged. Models of no list need not run at all. */
  readonly audited: readonly number[];
}

/** What a pod does one after the other: steps that only say what becomes of several results are part of a fan-out. */
export type PlannedStep =
  | Exclude<PipelineStep, { kind: 'AuditResults' | 'MultiOut' | 'Nth' | 'Average' }>
  | ModelFanOut
  /** Puts together again what ColumnsToRows took apart, by the mean of each request row. */
  | { readonly kind: 'AverageRows' };

export interface StepPlan {
  /** `at` is the step in the definition as messages name it: `Step 2 (Nth)`. */
  readonly steps: readonly { readonly at: string; readonly step: PlannedStep }[];
  /** What cannot work, one sentence each with the number and the kind of the step. */
  readonly complaints: readonly string[];
}

/**
 * Finds out what the steps do together. The results of a ModelInference step with several models stay open until
 * MultiOut (the first answers, the others beside it), Nth (one answers) or Average closes them; what is open at the end
 * is answered as by MultiOut. AuditResults in between says which of them are logged whatever is answered.
 */
export function planSteps(steps: readonly PipelineStep[]): StepPlan {
  const planner = new Planner();
  steps.forEach((step, index) => {
    planner.add(step, `Step ${index + 1} (${step.kind})`);
  });
  return planner.finish();
}

/** Each is a process under every replica. */
const maxChallengers = 8;

interface OpenResults {
  readonly at: string;
  readonly models: readonly ModelReference[];
  readonly audited: Set<number>;
  /** Where the fan-out stands in the plan. */
  readonly place: number;
}

class Planner {
  readonly #steps: { at: string; step: PlannedStep }[] = [];
  readonly #complaints: string[] = [];
  #open: OpenResults | null = null;
  #hasModel = false;
  #challengerCount = 0;
  /** Whether each request row is several rows at present. */
  #isTakenApart = false;

  add(step: PipelineStep, at: string): void {
    switch (step.kind) {
      case 'AuditResults':
        this.#audit(step, at);
        break;
      case 'MultiOut':
        if (this.#requireModel(at)) this.#close('first');
        break;
      case 'Nth':
        this.#select(step.index, at);
        break;
      case 'Average':
        this.#average(at);
        break;
      case 'Check':
        if (this.#isTakenApart)
          this.#complaints.push(`${at} cannot check what ColumnsToRows took apart before Average.`);
        if (this.#requireModel(at)) this.#steps.push({ at, step });
        break;
      case 'ColumnsToRows':
        if (this.#isTakenApart) this.#complaints.push(`${at} takes columns apart that an earlier step took apart.`);
        this.#addPlain(step, at);
        this.#isTakenApart = true;
        break;
      case 'ModelInference':
        this.#addPlain(step, at);
        this.#hasModel = true;
        if (step.models.length > 1) this.#openResults(step.models, at);
        break;
      case 'RowsToModels':
      case 'MetaValueSplit':
      case 'RandomSplit':
        this.#addPlain(step, at);
        this.#hasModel = true;
        break;
      default:
        this.#addPlain(step, at);
    }
  }

  finish(): StepPlan {
    this.#close('first');
    if (!this.#hasModel && this.#steps.length > 0) {
      this.#complaints.push('No step of the pipeline runs a model; add a model step.');
    }
    return { steps: this.#steps, complaints: this.#complaints };
  }

  #addPlain(step: PlannedStep, at: string): void {
    if (this.#open !== null) {
      const { at: from, models } = this.#open;
      this.#complaints.push(
        `${at} takes one result, but ${from} leaves ${models.length}; put MultiOut, Nth or Average between them.`,
      );
      this.#close('first');
    }
    this.#steps.push({ at, step });
  }

  #openResults(models: readonly ModelReference[], at: string): void {
    if (this.#isTakenApart) {
      this.#complaints.push(`${at} has several models, which cannot take the rows that ColumnsToRows makes.`);
    }
    this.#open = { at, models, audited: new Set(), place: this.#steps.length - 1 };
  }

  #audit({ from, to }: { from: number; to: number | null }, at: string): void {
    if (!this.#requireModel(at)) return;
    const count = this.#open?.models.length ?? 1;
    const end = Math.min(to ?? count, count);
    if (from >= end) {
      const range = `${from}:${to ?? ''}`;
      this.#complaints.push(`${at} audits the results ${range}, but there ${count === 1 ? 'is 1' : `are ${count}`}.`);
    }
    for (let index = from; index < end; index += 1) this.#open?.audited.add(index);
  }

  #select(index: number, at: string): void {
    if (!this.#requireModel(at)) return;
    const count = this.#open?.models.length ?? 1;
    if (index < count) this.#close(index);
    else
      this.#complaints.push(`${at} selects the result ${index}, but there ${count === 1 ? 'is 1' : `are ${count}`}.`);
  }

  #average(at: string): void {
    if (!this.#requireModel(at)) return;
    if (this.#open !== null) this.#close('average');
    else if (this.#isTakenApart) this.#steps.push({ at, step: { kind: 'AverageRows' } });
    else this.#complaints.push(`${at} needs several results, as of a step with several models, but there is 1.`);
    this.#isTakenApart = false;
  }

  #requireModel(at: string): boolean {
    if (!this.#hasModel) this.#complaints.push(`${at} needs the result of a model step before it.`);
    return this.#hasModel;
  }

  /** Says what becomes of the open results, if there are any. */
  #close(choice: number | 'first' | 'average'): void {
    if (this.#open === null) return;
    const { at, models, audited, place } = this.#open;
    const answering = choice === 'first' ? 0 : choice;
    const others = models.map((_, index) => index).filter((index) => index !== answering);
    const step: ModelFanOut = {
      kind: 'ModelFanOut',
      models,
      answering,
      answered: choice === 'first' ? others : [],
      audited: choice === 'first' ? [] : others.filter((index) => audited.has(index)),
    };
    this.#steps[place] = { at, step };
    this.#open = null;
    if (answering === 'average') return;
    this.#challengerCount += step.answered.length + step.audited.length;
    if (this.#challengerCount <= maxChallengers) return;
    this.#complaints.push(`${at}: a pipeline has at most ${maxChallengers} challengers, not ${this.#challengerCount}.`);
  }
}
