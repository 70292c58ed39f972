import type { Column, SdkGeneration } from '@pademelon/contracts';
import type { Dataset } from './dataset.ts';
import type { InputBatch } from './input-batch.ts';
import type { CheckResult } from './pipeline-steps/pipeline-step.ts';

/** Everything that an answer may tell of a request. */
export interface AnswerData {
  readonly timeMs: number;
  readonly batch: InputBatch;
  readonly outputs: readonly Column[];
  /** Outputs of other models, which the answer tells beside its own. */
  readonly sides: readonly AnsweredSide[];
  readonly checks: readonly CheckResult[];
  readonly metadata: AnswerMetadata;
}

export interface AnsweredSide {
  readonly name: string;
  readonly outputs: readonly Column[];
}

export interface AnswerMetadata {
  /** JSON text of `{"model_name", "model_sha"}`, as the SDKs expect it. */
  readonly last_model: string;
  /** UUID of the pipeline version. */
  readonly pipeline_version: string;
  /** Nanoseconds for reading the request and for the models. */
  readonly elapsed: readonly [number, number];
  /** Groups of outputs, `out_<model>`, that are left out because they came too late or not at all. */
  readonly dropped: readonly string[];
  /** The pod. */
  readonly partition: string;
}

export const metadataNames = ['last_model', 'pipeline_version', 'elapsed', 'dropped', 'partition'] as const;
export type MetadataName = (typeof metadataNames)[number];

/** Where an answer's field takes its values from. */
export type FieldSource =
  | { readonly kind: 'time' }
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'side'; readonly side: number; readonly index: number }
  /** Names of the checks that a row failed. */
  | { readonly kind: 'failed-checks' }
  | { readonly kind: 'failure-count' }
  | { readonly kind: 'failure'; readonly index: number }
  | { readonly kind: 'metadata'; readonly name: MetadataName };

export interface AnswerField {
  /** `in`, `out`, `out_<model>`, `anomaly`, `metadata`, or null for a field of its own. */
  readonly group: string | null;
  readonly name: string;
  readonly source: FieldSource;
}

/** The fields of an answer, in their order. What the SDK generations see differently of them is decided here alone. */
export function answerFields(
  dataset: Dataset,
  generation: SdkGeneration,
  { batch, outputs, sides, checks }: Pick<AnswerData, 'batch' | 'outputs' | 'sides' | 'checks'>,
): AnswerField[] {
  const fields: AnswerField[] = [];
  const add = (group: string | null, name: string, source: FieldSource, isMandatory = false): void => {
    if (isMandatory || dataset.includes(group === null ? name : `${group}.${name}`))
      fields.push({ group, name, source });
  };
  const isOld = generation === '2023';
  // The 2023 SDK fails on an answer without its two columns, whatever it asked for.
  add(null, 'time', { kind: 'time' }, isOld);
  batch.columns.forEach(({ name }, index) => {
    add('in', name, { kind: 'input', index });
  });
  outputs.forEach(({ name }, index) => {
    add('out', name, { kind: 'output', index });
  });
  if (isOld) {
    add(null, 'check_failures', { kind: 'failed-checks' }, true);
  } else {
    add('anomaly', 'count', { kind: 'failure-count' });
    for (const [name, index] of shownChecks(checks)) add('anomaly', name, { kind: 'failure', index });
  }
  sides.forEach(({ name: side, outputs: columns }, number) => {
    columns.forEach(({ name }, index) => {
      add(sideGroup(side), name, { kind: 'side', side: number, index });
    });
  });
  for (const name of metadataNames) add('metadata', name, { kind: 'metadata', name });
  return fields;
}

/** By name, and of checks with the same name the latest alone; all of them count. */
function shownChecks(checks: readonly CheckResult[]): [string, number][] {
  const latest = new Map(checks.map(({ name }, index) => [name, index]));
  return [...latest].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** What answers and logs call the outputs of a model beside the answering one. */
export function sideGroup(name: string): string {
  return `out_${name}`;
}

export function failedChecks(checks: readonly CheckResult[], row: number): string[] {
  return checks.filter((check) => check.failures[row] === 1).map((check) => check.name);
}

export function failureCount(checks: readonly CheckResult[], row: number): number {
  let count = 0;
  for (const check of checks) count += check.failures[row]!;
  return count;
}
