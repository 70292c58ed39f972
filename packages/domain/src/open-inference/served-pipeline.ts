import type { ColumnType } from '@pademelon/contracts';
import type { ElementType, ModelSignature, TensorDeclaration } from '../models/model-signature.ts';
import { parseSteps } from '../pipelines/steps/parse-steps.ts';
import { type ModelReference, modelsOf, type PipelineStep } from '../pipelines/steps/pipeline-step.ts';
import type { NamedPipeline } from './model-name.ts';

/** A deployed pipeline as a model of the Open Inference Protocol. */
export interface ServedPipeline extends NamedPipeline {
  readonly deploymentId: number;
  readonly workspaceId: number;
  /** UUID of the pipeline version to serve. */
  readonly version: string;
  /** `definition.steps` as it was stored. */
  readonly steps: unknown;
  /** Whether a pod answers for it. */
  readonly isReady: boolean;
}

/** A model version of a pipeline with what the protocol tells of it. */
export interface ServedModel {
  /** UUID. */
  readonly version: string;
  /** Null where the file was not read at its upload. */
  readonly signature: ModelSignature | null;
  /** Names that the pipeline gives to the model's inputs, by position; null where it keeps the model's own. */
  readonly tensorFields: readonly string[] | null;
}

/** Where deployed pipelines are read. */
export interface ServedPipelineStore {
  /** Those that are deployed, in workspaces of that user, by name; all of them, or those of one name. */
  list(visibleTo: string, pipelineName?: string): Promise<ServedPipeline[]>;
  /** Those of the model versions (UUIDs) that the pipeline's workspace has. */
  models(pipeline: ServedPipeline, versions: readonly string[]): Promise<ServedModel[]>;
}

/** A tensor that a pipeline takes or gives: the first dimension is the number of rows; -1 is any size. */
export interface ServedTensor {
  readonly name: string;
  readonly type: ColumnType;
  readonly shape: readonly number[];
}

export interface ServedTensors {
  readonly inputs: readonly ServedTensor[];
  readonly outputs: readonly ServedTensor[];
}

interface EndModels {
  readonly first: ModelReference;
  readonly last: ModelReference;
  /** Whether a step before the first model, or one after the last, changes the shape of what passes. */
  readonly isInputReshaped: boolean;
  readonly isOutputReshaped: boolean;
}

/** The models that decide what a pipeline takes and gives: of several side by side the champion counts. */
export function endModels(definition: unknown): EndModels | null {
  const steps = parseSteps(definition);
  const firstAt = steps.findIndex((step) => modelsOf(step).length > 0);
  const lastAt = steps.findLastIndex((step) => modelsOf(step).length > 0);
  if (firstAt < 0) return null;
  return {
    first: modelsOf(steps[firstAt]!)[0]!,
    last: modelsOf(steps[lastAt]!)[0]!,
    isInputReshaped: steps.slice(0, firstAt).some(reshapes),
    isOutputReshaped: steps.slice(lastAt + 1).some(reshapes),
  };
}

function reshapes({ kind }: PipelineStep): boolean {
  return kind === 'ColumnsSelect' || kind === 'ColumnsToRows';
}

/** What a pipeline takes and gives: the inputs of its first model and the outputs of its last, as far as known. */
export function servedTensors(steps: unknown, models: readonly ServedModel[]): ServedTensors {
  const ends = endModels(steps);
  const find = (reference: ModelReference | undefined) => models.find((model) => model.version === reference?.version);
  const first = find(ends?.first);
  const last = find(ends?.last);
  const inputs = (first?.signature?.inputs ?? []).map((input, index) => {
    return toTensor(input, ends!.isInputReshaped, first?.tensorFields?.[index]);
  });
  const outputs = (last?.signature?.outputs ?? []).map((output) => toTensor(output, ends!.isOutputReshaped));
  return { inputs, outputs };
}

function toTensor({ name, type, shape }: TensorDeclaration, isReshaped: boolean, ownName = name): ServedTensor {
  const [, ...rowShape] = shape ?? [];
  const isKnown = (dimension: number | string | null) => typeof dimension === 'number' && !isReshaped;
  return {
    name: ownName,
    type: columnType(type),
    shape: [-1, ...rowShape.map((dimension) => (isKnown(dimension) ? (dimension as number) : -1))],
  };
}

function columnType(type: ElementType): ColumnType {
  return type === 'string' ? 'utf8' : type;
}
