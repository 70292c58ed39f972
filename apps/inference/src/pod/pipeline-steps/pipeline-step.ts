import type { Column } from '@pademelon/contracts';
import type { ModelReference, PlannedStep } from '@pademelon/domain/pipeline-steps';
import type { ModelStepRun } from '../expressions/checked-rows.ts';
import type { InputHints } from '../input-batch.ts';
import type { ModelRegistry } from '../model-registry.ts';

/** Rows on their way through the steps of a pipeline. */
export interface Flow {
  readonly rowCount: number;
  /** The request's columns, whatever the steps have made of them: checks read them. */
  readonly request?: readonly Column[];
  /** What the next step reads: the request's columns, then each step's outputs. */
  readonly columns: readonly Column[];
  /** Whether a model has run: `columns` are outputs then. */
  readonly isChained: boolean;
  /** The model whose outputs the columns are. */
  readonly lastModel: ModelIdentity | null;
  /** One entry for each check that has run. */
  readonly checks: readonly CheckResult[];
  /** The model steps that have run, where a check reads them. */
  readonly modelRuns?: readonly ModelStepRun[];
  /** For each split that has run the text of each row which names the row's model. */
  readonly splitMarks?: readonly (readonly string[])[];
  /** After ColumnsToRows: how many rows of the flow one row of the request is. */
  readonly partsPerRow?: number;
  /** Results of models that ran beside the one that answers. */
  readonly sides?: readonly SideResult[];
}

/** The outputs of a model beside the answering one; null when they came too late or not at all. */
export type SideOutputs = readonly Column[] | null;

/** Outputs that are there, on their way, or wait to be asked for. A promise never rejects. */
export type PendingOutputs = SideOutputs | Promise<SideOutputs> | (() => Promise<SideOutputs>);

export interface SideResult<Outputs = PendingOutputs> {
  /** The model's name, with a number where two have the same; answers and logs put `out_` before it. */
  readonly name: string;
  /** False: for the log alone. */
  readonly isAnswered: boolean;
  readonly outputs: Outputs;
}

export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  readonly sha: string;
}

export interface CheckResult {
  readonly name: string;
  /** One byte a row: 1 where the check failed. */
  readonly failures: Uint8Array;
  /** What the classic form of answers shows of a failure in place of the name. */
  readonly text?: string;
}

/** One interpreted step of a pipeline definition. */
export interface PipelineStep {
  run(flow: Flow): Flow;
  /** In place of `run`, for a step that runs in another process. */
  runLater?(flow: Flow): Promise<Flow>;
  /**
   * Whether each row it leaves comes from the row at the same place and from no other, so that rows of several requests
   * may pass together. A step that does not say so keeps its pipeline from batching.
   */
  readonly isRowWise?: boolean;
  /** How the step wants request columns read; null when it passes them on and the next step decides. */
  readonly hints: InputHints | null;
  /** For a step without hints that changes what the next one reads: how its hints are to be taken then. */
  readonly adaptHints?: (next: InputHints) => InputHints;
  /** Names of the checks that this step may add results of. */
  readonly checkNames: readonly string[];
  /** Whether the step reads `modelRuns` of the flow. */
  readonly readsModelRuns?: boolean;
}

/** A model that runs elsewhere, so that neither its time nor its failure is the answering model's. */
export interface Challenger {
  /** Starts on the rows as they are now. The promise is settled within the time that a record may wait. */
  run(rows: Pick<Flow, 'columns' | 'rowCount' | 'isChained'>): Promise<SideOutputs>;
}

/** A model that is a script, in a process of its own. */
export interface Script {
  readonly identity: ModelIdentity;
  /** The columns that the script makes of these, which must not change meanwhile. Throws a DomainError for the caller. */
  readonly model: { run(columns: readonly Column[], rowCount: number): Promise<Column[]> };
}

/** What a step is made with. */
export interface StepContext {
  readonly registry: ModelRegistry;
  /** The script that a model is; null for what the registry has. */
  readonly script: (model: ModelReference) => Script | null;
  /** `inputNames`: for each input of the answering model the column names that reach it. */
  readonly challenger: (model: ModelReference, inputNames: readonly (readonly string[])[]) => Challenger;
  /** A name for a model's results that no other of the pipeline has. */
  readonly sideName: (model: ModelReference) => string;
  /** The models of the steps before it, of those that answer. */
  readonly modelsBefore: readonly ModelReference[];
  /** From 0 up to 1. */
  readonly random: () => number;
  /** The step as messages name it: `Step 2 (Nth)`. */
  readonly at: string;
}

/** Makes a step of what the definition says of it. Throws a DomainError naming what cannot be. */
export type StepFactory<Kind extends PlannedStep['kind']> = (
  step: Extract<PlannedStep, { readonly kind: Kind }>,
  context: StepContext,
) => PipelineStep;
