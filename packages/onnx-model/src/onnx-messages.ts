import { limits } from './limits.ts';
import {
  addOpset,
  closeNode,
  closeSparseTensor,
  closeTensor,
  countInitializer,
  type FunctionFacts,
  type GraphFacts,
  type ModelFacts,
  type NodeFacts,
  openFunction,
  openMainGraph,
  openNode,
  openPort,
  openSubgraph,
  type TensorFacts,
  type ValueFacts,
} from './model-facts.ts';
import { reject } from './model-rejection.ts';
import { type FieldRule, fields, type MessageRule, message } from './walk-message.ts';

// The messages of onnx.proto as far as they matter here, by the numbers that it gives their fields:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

interface OpsetFacts {
  readonly opsets: Map<string, number>;
  domain: string;
  version: number;
}

export const modelMessage: MessageRule<ModelFacts> = {
  fields: fields<ModelFacts>({
    1: {
      kind: 'number',
      take: (model, version) => {
        model.irVersion = version;
      },
    },
    7: message(() => graphMessage, openMainGraph),
    8: message(
      () => opsetMessage,
      (model) => ({ opsets: model.opsets, domain: '', version: 0 }),
    ),
    25: message(() => functionMessage, openFunction),
  }),
};

const graphMessage: MessageRule<GraphFacts> = {
  fields: fields<GraphFacts>({
    1: message(() => nodeMessage, openNode),
    5: message(
      () => initializerMessage,
      (graph) => ({ graph, ...newTensor() }),
    ),
    11: message(
      () => valueMessage,
      (graph) => (graph.depth === 0 ? openPort(graph.model.inputs) : null),
    ),
    12: message(
      () => valueMessage,
      (graph) => (graph.depth === 0 ? openPort(graph.model.outputs) : null),
    ),
    15: message(
      () => sparseInitializerMessage,
      (graph) => ({ graph, ...newSparseTensor() }),
    ),
  }),
};

const nodeMessage: MessageRule<NodeFacts> = {
  fields: fields<NodeFacts>({
    4: {
      kind: 'text',
      take: (node, text) => {
        node.operator = text;
      },
    },
    5: message(
      () => attributeMessage,
      (node) => node,
    ),
    7: {
      kind: 'text',
      take: (node, text) => {
        node.domain = text;
      },
    },
    8: {
      kind: 'text',
      take: (node, text) => {
        node.overload = text;
      },
    },
  }),
  close: closeNode,
};

/** Attributes are gathered into their node: only the tensors and graphs in them matter. */
const attributeMessage: MessageRule<NodeFacts> = {
  fields: fields<NodeFacts>({
    5: message(() => tensorMessage, newTensor),
    6: message(() => graphMessage, openSubgraph),
    10: message(() => tensorMessage, newTensor),
    11: message(() => graphMessage, openSubgraph),
    22: message(() => sparseTensorMessage, newSparseTensor),
    23: message(() => sparseTensorMessage, newSparseTensor),
  }),
};

const functionMessage: MessageRule<FunctionFacts> = {
  fields: fields<FunctionFacts>({
    1: {
      kind: 'text',
      take: (item, text) => {
        item.name = text;
      },
    },
    7: message(
      () => nodeMessage,
      (item) => openNode({ model: item.model, body: item, depth: 0 }),
    ),
    9: message(
      () => opsetMessage,
      () => ({ opsets: new Map(), domain: '', version: 0 }),
    ),
    10: {
      kind: 'text',
      take: (item, text) => {
        item.domain = text;
      },
    },
    11: message(
      () => attributeMessage,
      (item) => openNode({ model: item.model, body: item, depth: 0 }),
    ),
    13: {
      kind: 'text',
      take: (item, text) => {
        item.overload = text;
      },
    },
  }),
};

const opsetMessage: MessageRule<OpsetFacts> = {
  fields: fields<OpsetFacts>({
    1: {
      kind: 'text',
      take: (opset, text) => {
        opset.domain = text;
      },
    },
    2: {
      kind: 'number',
      take: (opset, version) => {
        opset.version = version;
      },
    },
  }),
  close: ({ opsets, domain, version }) => addOpset(opsets, domain, version),
};

const payload: FieldRule<TensorFacts> = {
  kind: 'payload',
  take: (tensor, bytes) => {
    tensor.payloadBytes += bytes;
  },
};

const tensorFields: Readonly<Record<number, FieldRule<TensorFacts>>> = {
  1: {
    kind: 'number',
    take: (tensor, size) => {
      if (tensor.dims.push(size) > limits.rank) reject(`A weight has more than ${limits.rank} dimensions.`);
    },
  },
  2: {
    kind: 'number',
    take: (tensor, type) => {
      tensor.elementType = type;
    },
  },
  ...Object.fromEntries([4, 5, 6, 7, 9, 10, 11].map((number) => [number, payload])),
  8: {
    kind: 'text',
    take: (tensor, text) => {
      tensor.name = text;
    },
  },
  13: { kind: 'payload', take: refuseExternalData },
  14: {
    kind: 'number',
    take: (_, location) => {
      if (location !== 0) refuseExternalData();
    },
  },
};

const tensorMessage: MessageRule<TensorFacts> = { fields: fields(tensorFields), close: closeTensor };

const initializerMessage: MessageRule<TensorFacts & { graph: GraphFacts }> = {
  fields: fields(tensorFields),
  close: (tensor) => {
    closeTensor(tensor);
    takeWeight(tensor.graph, tensor.name);
  },
};

interface SparseTensorFacts {
  readonly dims: number[];
  readonly values: TensorFacts;
}

const sparseTensorFields: Readonly<Record<number, FieldRule<SparseTensorFacts>>> = {
  1: message(
    () => tensorMessage,
    (sparse: SparseTensorFacts) => sparse.values,
  ),
  2: message(() => tensorMessage, newTensor),
  3: {
    kind: 'number',
    take: (sparse, size) => {
      if (sparse.dims.push(size) > limits.rank) reject(`A weight has more than ${limits.rank} dimensions.`);
    },
  },
};

const sparseTensorMessage: MessageRule<SparseTensorFacts> = {
  fields: fields(sparseTensorFields),
  close: ({ dims }) => closeSparseTensor(dims),
};

const sparseInitializerMessage: MessageRule<SparseTensorFacts & { graph: GraphFacts }> = {
  fields: fields(sparseTensorFields),
  close: (sparse) => {
    closeSparseTensor(sparse.dims);
    takeWeight(sparse.graph, sparse.values.name);
  },
};

const valueMessage: MessageRule<ValueFacts> = {
  fields: fields<ValueFacts>({
    1: {
      kind: 'text',
      take: (value, text) => {
        value.name = text;
      },
    },
    2: message(
      () => typeMessage,
      (value) => value,
    ),
  }),
};

const typeMessage: MessageRule<ValueFacts> = {
  fields: fields<ValueFacts>({
    1: message(
      () => tensorTypeMessage,
      (value) => value,
    ),
    4: message(() => tensorTypeMessage, notTensor('sequence')),
    5: message(() => tensorTypeMessage, notTensor('map')),
    7: message(() => tensorTypeMessage, notTensor('opaque value')),
    8: message(() => tensorTypeMessage, notTensor('sparse tensor')),
    9: message(() => tensorTypeMessage, notTensor('optional value')),
  }),
};

const tensorTypeMessage: MessageRule<ValueFacts> = {
  fields: fields<ValueFacts>({
    1: {
      kind: 'number',
      take: (value, type) => {
        value.elementType = type;
      },
    },
    2: message(
      () => shapeMessage,
      (value) => {
        value.shape = [];
        return value;
      },
    ),
  }),
};

const shapeMessage: MessageRule<ValueFacts> = {
  fields: fields<ValueFacts>({
    1: message(
      () => dimensionMessage,
      (value) => {
        if ((value.shape?.push(null) ?? 0) > limits.rank) {
          reject(`${JSON.stringify(value.name)} has more than ${limits.rank} dimensions.`);
        }
        return value;
      },
    ),
  }),
};

/** One dimension: a number, a name, or nothing where it is open. */
const dimensionMessage: MessageRule<ValueFacts> = {
  fields: fields<ValueFacts>({
    1: { kind: 'number', take: takeDimension },
    2: { kind: 'text', take: takeDimension },
  }),
};

function takeDimension(value: ValueFacts, dimension: number | string): void {
  value.shape?.splice(-1, 1, dimension === '' ? null : dimension);
}

function notTensor(kind: Exclude<ValueFacts['kind'], undefined>): (value: ValueFacts) => null {
  return (value) => {
    value.kind = kind;
    return null;
  };
}

function takeWeight(graph: GraphFacts, name: string): void {
  countInitializer(graph.model);
  if (graph.depth === 0) graph.model.weightNames.add(name);
}

function refuseExternalData(): never {
  return reject(
    'The model keeps weights in other files (external data), which are not uploaded with it. Save it as one file.',
  );
}

function newTensor(): TensorFacts {
  return { name: '', elementType: 0, dims: [], payloadBytes: 0 };
}

function newSparseTensor(): SparseTensorFacts {
  return { dims: [], values: newTensor() };
}
