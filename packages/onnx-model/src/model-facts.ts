import { limits, newestOpsets } from './limits.ts';
import { reject } from './model-rejection.ts';

// What is gathered from a model file while it is read, with the limits that can be told on the way.

export interface ModelFacts {
  irVersion: number;
  hasGraph: boolean;
  readonly opsets: Map<string, number>;
  readonly inputs: ValueFacts[];
  readonly outputs: ValueFacts[];
  /** Names of the main graph's weights: an input with a weight of its name need not be fed. */
  readonly weightNames: Set<string>;
  readonly main: BodyFacts;
  readonly functions: FunctionFacts[];
  nodeCount: number;
  initializerCount: number;
}

/** The operators of the main graph or of one function, those in inner graphs included. */
export interface BodyFacts {
  /** How often each operator is used, by its key. */
  readonly operators: Map<string, number>;
}

export interface FunctionFacts extends BodyFacts {
  readonly model: ModelFacts;
  domain: string;
  name: string;
  overload: string;
}

export interface GraphFacts {
  readonly model: ModelFacts;
  readonly body: BodyFacts;
  /** 0 is the main graph. */
  readonly depth: number;
}

export interface NodeFacts {
  readonly model: ModelFacts;
  readonly body: BodyFacts;
  readonly depth: number;
  domain: string;
  operator: string;
  overload: string;
}

/** One input or output of the model. `kind` is absent for a tensor and otherwise says what it is instead. */
export interface ValueFacts {
  name: string;
  elementType: number;
  kind: 'sequence' | 'map' | 'optional value' | 'sparse tensor' | 'opaque value' | undefined;
  shape: (number | string | null)[] | null;
}

export interface TensorFacts {
  name: string;
  elementType: number;
  readonly dims: number[];
  payloadBytes: number;
}

export function newModelFacts(): ModelFacts {
  return {
    irVersion: 0,
    hasGraph: false,
    opsets: new Map(),
    inputs: [],
    outputs: [],
    weightNames: new Set(),
    main: { operators: new Map() },
    functions: [],
    nodeCount: 0,
    initializerCount: 0,
  };
}

export function openMainGraph(model: ModelFacts): GraphFacts {
  if (model.hasGraph) reject('The file has two models in it.');
  model.hasGraph = true;
  return { model, body: model.main, depth: 0 };
}

export function openSubgraph({ model, body, depth }: NodeFacts): GraphFacts {
  if (depth >= limits.subgraphDepth) {
    reject(`The model's graphs are nested more than ${limits.subgraphDepth} deep, more than ONNX Runtime reads.`);
  }
  return { model, body, depth: depth + 1 };
}

export function openNode(within: { model: ModelFacts; body: BodyFacts; depth: number }): NodeFacts {
  const { model, body, depth } = within;
  if (++model.nodeCount > limits.nodes) reject(`The model has more than ${limits.nodes} operators.`);
  return { model, body, depth, domain: '', operator: '', overload: '' };
}

export function closeNode(node: NodeFacts): void {
  const key = operatorKey(node.domain, node.operator, node.overload);
  node.body.operators.set(key, (node.body.operators.get(key) ?? 0) + 1);
}

export function openFunction(model: ModelFacts): FunctionFacts {
  if (model.functions.length >= limits.functions) reject(`The model has more than ${limits.functions} functions.`);
  const facts: FunctionFacts = { model, operators: new Map(), domain: '', name: '', overload: '' };
  model.functions.push(facts);
  return facts;
}

export function openPort(ports: ValueFacts[]): ValueFacts {
  if (ports.length >= limits.ports) reject(`The model has more than ${limits.ports} inputs or outputs.`);
  const value: ValueFacts = { name: '', elementType: 0, kind: undefined, shape: null };
  ports.push(value);
  return value;
}

export function countInitializer(model: ModelFacts): void {
  if (++model.initializerCount > limits.initializers) reject(`The model has more than ${limits.initializers} weights.`);
}

/** Refuses weights that claim more values than they bring, which would let a small file ask for any memory. */
export function closeTensor(tensor: TensorFacts): void {
  const elements = countElements(tensor.dims, tensor.name);
  if (elements > tensor.payloadBytes * elementsPerByte(tensor.elementType)) {
    reject(
      `The weight ${JSON.stringify(tensor.name)} is declared to have ${elements} values but brings ${tensor.payloadBytes} bytes.`,
    );
  }
}

/** A sparse weight is made dense when it is loaded, so what counts is its dense size. */
export function closeSparseTensor(dims: readonly number[]): void {
  if (countElements(dims, 'sparse') > limits.elements) {
    reject(`The model has a sparse weight of more than ${limits.elements} values.`);
  }
}

export function addOpset(opsets: Map<string, number>, domain: string, version: number): void {
  const name = normalDomain(domain);
  if (opsets.size >= limits.opsetImports) reject(`The model imports more than ${limits.opsetImports} operator sets.`);
  const newest = newestOpsets[name];
  if (version < 1) reject(`The model imports version ${version} of the operators of ${name}, which does not exist.`);
  if (newest !== undefined && version > newest) {
    reject(
      `The model uses version ${version} of the operators of ${name}; the newest supported one is ${newest}. Export it with an older opset.`,
    );
  }
  opsets.set(name, version);
}

/** The standard operators' domain may be written in two ways. */
export function normalDomain(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain;
}

/** Names have no NUL, so it can separate them. */
export function operatorKey(domain: string, operator: string, overload: string): string {
  return `${normalDomain(domain)}\u0000${operator}\u0000${overload}`;
}

function countElements(dims: readonly number[], name: string): number {
  if (dims.length > limits.rank) reject(`The weight ${JSON.stringify(name)} has more than ${limits.rank} dimensions.`);
  let elements = 1;
  for (const size of dims) {
    if (size < 0) reject(`The weight ${JSON.stringify(name)} has a negative dimension.`);
    elements *= size;
  }
  return elements;
}

/** Types of 4 and of 2 bits are packed; every other value takes at least one byte. */
function elementsPerByte(elementType: number): number {
  if (elementType >= 21 && elementType <= 23) return 2;
  return elementType === 25 || elementType === 26 ? 4 : 1;
}
