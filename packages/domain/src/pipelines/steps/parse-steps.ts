import { DomainError } from '../../domain-error.ts';
import { isJsonObject, type JsonObject } from '../../plain-json.ts';
import { isUuid } from '../../row-id.ts';
import {
  type ModelReference,
  type PipelineStep,
  type PipelineStepKind,
  type StepDataType,
  stepDataTypes,
} from './pipeline-step.ts';

const maxSteps = 100;
const maxModelsPerStep = 100;

/**
 * Reads `definition.steps` as the SDKs send them; absent counts as none. Throws `invalid_input` naming the step, from 1,
 * and what is wrong with it. Keys that a step does not need are ignored.
 */
export function parseSteps(steps: unknown): PipelineStep[] {
  if (steps === undefined || steps === null) return [];
  if (!Array.isArray(steps)) throw invalid('The steps of a pipeline definition must be a list.');
  if (steps.length > maxSteps) throw invalid(`A pipeline has at most ${maxSteps} steps, not ${steps.length}.`);
  return steps.map((step, index) => parseStep(step, `Step ${index + 1}`));
}

function parseStep(step: unknown, at: string): PipelineStep {
  const kinds = isJsonObject(step) ? Object.keys(step) : [];
  const [kind] = kinds;
  if (kind === undefined || kinds.length !== 1) {
    throw invalid(`${at} must be an object of one key, its kind, such as {"ModelInference": {"models": […]}}.`);
  }
  if (!Object.hasOwn(readers, kind)) {
    throw invalid(`${at} is of the unknown kind ${quote(kind)}; known are ${Object.keys(readers).join(', ')}.`);
  }
  const body = (step as JsonObject)[kind] ?? {};
  if (!isJsonObject(body)) throw invalid(`${at} (${kind}) must hold an object.`);
  return readers[kind as PipelineStepKind](body, `${at} (${kind})`);
}

const readers: { readonly [Kind in PipelineStepKind]: (body: JsonObject, at: string) => PipelineStep } = {
  ModelInference: (body, at) => ({ kind: 'ModelInference', models: readList(body, 'models', at, readModel) }),
  RowsToModels: (body, at) => ({ kind: 'RowsToModels', routes: readRowRoutes(body, at) }),
  MetaValueSplit: (body, at) => ({
    kind: 'MetaValueSplit',
    splitKey: readText(body, 'split_key', at),
    control: readModel(body['control'], `${at}: control`),
    routes: readRoutes(body, at),
  }),
  RandomSplit: (body, at) => ({
    kind: 'RandomSplit',
    hashKey: body['hash_key'] == null ? null : readText(body, 'hash_key', at),
    weights: readWeights(body, at),
  }),
  AuditResults: (body, at) => ({
    kind: 'AuditResults',
    from: readIndex(body, 'from', at),
    to: body['to'] == null ? null : readIndex(body, 'to', at),
  }),
  Check: (body, at) => ({ kind: 'Check', tree: readList(body, 'tree', at, asText) }),
  Nth: (body, at) => ({ kind: 'Nth', index: readIndex(body, 'index', at) }),
  MultiOut: () => ({ kind: 'MultiOut' }),
  Average: () => ({ kind: 'Average' }),
  ColumnsSelect: (body, at) => ({ kind: 'ColumnsSelect', columns: readList(body, 'columns', at, asIndex) }),
  ColumnsToRows: () => ({ kind: 'ColumnsToRows' }),
  InputDataToType: (body, at) => ({ kind: 'InputDataToType', dataType: readDataType(body, at) }),
};

function readModel(model: unknown, at: string): ModelReference {
  const { name, version, sha } = isJsonObject(model) ? model : {};
  if (typeof name !== 'string' || !isUuid(version) || typeof sha !== 'string') {
    throw invalid(`${at} must name a model by name, version (a UUID) and sha.`);
  }
  return { name, version: version.toLowerCase(), sha };
}

function readRowRoutes(body: JsonObject, at: string): { rowIndex: number; model: ModelReference }[] {
  const routes = readList(body, 'rows_to_models', at, (route, where) => ({
    rowIndex: readIndex(asObject(route, where), 'row_index', where),
    model: readModel(asObject(route, where)['model'], where),
  }));
  const rows = new Set(routes.map(({ rowIndex }) => rowIndex));
  if (rows.size < routes.length) throw invalid(`${at}: rows_to_models has a row_index twice.`);
  return routes;
}

/** Python 3.11 and later print the SDK's enumeration with its name before the value: `ValidDataType.f64`. */
function readDataType(body: JsonObject, at: string): StepDataType {
  const text = readText(body, 'data_type', at);
  const type = stepDataTypes.find((known) => text === known || text === `ValidDataType.${known}`);
  if (type !== undefined) return type;
  throw invalid(`${at}: data_type is ${quote(text)}; known are ${stepDataTypes.join(', ')}.`);
}

function readRoutes(body: JsonObject, at: string): Map<string, ModelReference> {
  const routes = Object.entries(asObject(body['routes'], `${at}: routes`));
  if (routes.length > maxModelsPerStep) throw invalid(`${at}: routes has more than ${maxModelsPerStep} entries.`);
  return new Map(routes.map(([value, model]) => [value, readModel(model, `${at}: route ${quote(value)}`)]));
}

function readWeights(body: JsonObject, at: string): { model: ModelReference; weight: number }[] {
  const weights = readList(body, 'weights', at, (choice, where) => {
    const { model, weight } = asObject(choice, where);
    if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) {
      throw invalid(`${where}: weight must be a number from 0.`);
    }
    return { model: readModel(model, where), weight };
  });
  if (weights.every(({ weight }) => weight === 0)) throw invalid(`${at}: at least one weight must be above 0.`);
  return weights;
}

/** A list of 1 to 100 elements. */
function readList<T>(body: JsonObject, key: string, at: string, read: (element: unknown, at: string) => T): T[] {
  const list = body[key];
  if (!Array.isArray(list) || list.length === 0) throw invalid(`${at}: ${key} must be a list that is not empty.`);
  if (list.length > maxModelsPerStep) throw invalid(`${at}: ${key} has more than ${maxModelsPerStep} elements.`);
  return list.map((element, index) => read(element, `${at}: ${key}[${index}]`));
}

const readIndex = (body: JsonObject, key: string, at: string): number => asIndex(body[key], `${at}: ${key}`);
const readText = (body: JsonObject, key: string, at: string): string => asText(body[key], `${at}: ${key}`);

function asIndex(value: unknown, at: string): number {
  if (Number.isInteger(value) && (value as number) >= 0) return value as number;
  throw invalid(`${at} must be a whole number from 0.`);
}

function asText(value: unknown, at: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`${at} must be a text.`);
}

function asObject(value: unknown, at: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid(`${at} must be an object.`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function invalid(message: string): DomainError {
  return new DomainError('invalid_input', message);
}
