import { type OnnxGraph, type OnnxNode, type OnnxType, writeOnnxModel } from './onnx-writer.ts';

/** Gives back what it gets: `x` → `y`, of any type. */
export function identityModel(type: OnnxType = 'float32', shape: readonly (number | string)[] = ['N', 3]): Buffer {
  return single({ op: 'Identity', inputs: ['x'], outputs: ['y'] }, { type, shape });
}

/** Adds up each row: `x` float32 [N, width] → `y` float32 [N, 1]. */
export function sumModel(width = 3): Buffer {
  const axes = { name: 'axes', type: 'int64', dims: [1], raw: int64s(1) } as const;
  return writeOnnxModel({
    graph: {
      nodes: [{ op: 'ReduceSum', inputs: ['x', 'axes'], outputs: ['y'] }],
      inputs: [{ name: 'x', shape: ['N', width] }],
      outputs: [{ name: 'y', shape: ['N', 1] }],
      initializers: [axes],
    },
  });
}

/** `x` int64 [N, 2] → `doubled` int64 [N, 2]. */
export function int64Model(): Buffer {
  return writeOnnxModel({
    graph: {
      nodes: [{ op: 'Mul', inputs: ['x', 'two'], outputs: ['doubled'] }],
      inputs: [{ name: 'x', type: 'int64', shape: ['N', 2] }],
      outputs: [{ name: 'doubled', type: 'int64', shape: ['N', 2] }],
      initializers: [{ name: 'two', type: 'int64', dims: [1], raw: int64s(2) }],
    },
  });
}

/** `a`, `b` float32 [N, 1] and `mask` bool [N, 1] → `sum`, `product` float32 [N, 1] and `unmasked` bool [N, 1]. */
export function multipleInputsModel(): Buffer {
  const shape = ['N', 1];
  return writeOnnxModel({
    graph: {
      nodes: [
        { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
        { op: 'Mul', inputs: ['a', 'b'], outputs: ['product'] },
        { op: 'Not', inputs: ['mask'], outputs: ['unmasked'] },
      ],
      inputs: [
        { name: 'a', shape },
        { name: 'b', shape },
        { name: 'mask', type: 'bool', shape },
      ],
      outputs: [
        { name: 'sum', shape },
        { name: 'product', shape },
        { name: 'unmasked', type: 'bool', shape },
      ],
    },
  });
}

/**
 * A network of many narrow layers, `x` float32 [N, features] → `variable` float32 [N, 1]: it costs nearly as much for one
 * row as for a dozen. The weights are fixed, and of a size that keeps the numbers in range.
 */
export function deepModel({ features, layers, width }: { features: number; layers: number; width: number }): Buffer {
  const widths = [features, ...Array<number>(layers).fill(width), 1];
  const nodes: OnnxNode[] = [];
  const initializers = widths.slice(1).map((columns, layer) => {
    const rows = widths[layer]!;
    const isLast = layer === layers;
    const input = layer === 0 ? 'x' : `layer${layer}`;
    nodes.push({
      op: 'MatMul',
      inputs: [input, `weights${layer}`],
      outputs: [isLast ? 'variable' : `product${layer}`],
    });
    if (!isLast) nodes.push({ op: 'Relu', inputs: [`product${layer}`], outputs: [`layer${layer + 1}`] });
    const weights = Float32Array.from(
      { length: rows * columns },
      (_, i) => (((i * 7919 + layer) % 101) - 35) / (15 * rows),
    );
    return {
      name: `weights${layer}`,
      type: 'float32' as const,
      dims: [rows, columns],
      raw: Buffer.from(weights.buffer),
    };
  });
  return writeOnnxModel({
    graph: {
      nodes,
      inputs: [{ name: 'x', shape: ['N', features] }],
      outputs: [{ name: 'variable', shape: ['N', 1] }],
      initializers,
    },
  });
}

/** Takes as long as it is told to: a Loop of `x` rounds, float32 [N, 1] of one row → `y`, the same value. */
export function roundsModel(): Buffer {
  const body: OnnxGraph = {
    nodes: [
      { op: 'Identity', inputs: ['condition'], outputs: ['goes_on'] },
      { op: 'Identity', inputs: ['carried'], outputs: ['next'] },
    ],
    inputs: [
      { name: 'round', type: 'int64', shape: [] },
      { name: 'condition', type: 'bool', shape: [] },
      { name: 'carried', shape: ['N', 1] },
    ],
    outputs: [
      { name: 'goes_on', type: 'bool', shape: [] },
      { name: 'next', shape: ['N', 1] },
    ],
  };
  return writeOnnxModel({
    graph: {
      nodes: [
        { op: 'ReduceMax', inputs: ['x'], outputs: ['most'], attributes: [{ name: 'keepdims', int: 0 }] },
        { op: 'Cast', inputs: ['most'], outputs: ['rounds'], attributes: [{ name: 'to', int: 7 }] },
        { op: 'Loop', inputs: ['rounds', 'true', 'x'], outputs: ['y'], attributes: [{ name: 'body', graph: body }] },
      ],
      inputs: [{ name: 'x', shape: ['N', 1] }],
      outputs: [{ name: 'y', shape: ['N', 1] }],
      initializers: [{ name: 'true', type: 'bool', dims: [], raw: Buffer.from([1]) }],
    },
  });
}

/** Never ends: a Loop of 2^63 - 1 rounds over `x` float32 [N, 1] → `y`. */
export function endlessLoopModel(): Buffer {
  const body: OnnxGraph = {
    nodes: [
      { op: 'Identity', inputs: ['condition'], outputs: ['goes_on'] },
      { op: 'Identity', inputs: ['carried'], outputs: ['next'] },
    ],
    inputs: [
      { name: 'round', type: 'int64', shape: [] },
      { name: 'condition', type: 'bool', shape: [] },
      { name: 'carried', shape: ['N', 1] },
    ],
    outputs: [
      { name: 'goes_on', type: 'bool', shape: [] },
      { name: 'next', shape: ['N', 1] },
    ],
  };
  return writeOnnxModel({
    graph: {
      nodes: [
        {
          op: 'Loop',
          inputs: ['rounds', 'begin', 'x'],
          outputs: ['y'],
          attributes: [{ name: 'body', graph: body }],
        },
      ],
      inputs: [{ name: 'x', shape: ['N', 1] }],
      outputs: [{ name: 'y', shape: ['N', 1] }],
      initializers: [
        { name: 'rounds', type: 'int64', dims: [], raw: int64s(2n ** 63n - 1n) },
        { name: 'begin', type: 'bool', dims: [], raw: Buffer.from([1]) },
      ],
    },
  });
}

/** Goes round a Loop as often as the greatest of its input says: `x` float32 [N, 1] → `y`, the same numbers. */
export function loopingModel(): Buffer {
  const shape = ['N', 1];
  const body: OnnxGraph = {
    nodes: [
      { op: 'Identity', inputs: ['condition'], outputs: ['goes_on'] },
      { op: 'Identity', inputs: ['carried'], outputs: ['next'] },
    ],
    inputs: [
      { name: 'round', type: 'int64', shape: [] },
      { name: 'condition', type: 'bool', shape: [] },
      { name: 'carried', shape },
    ],
    outputs: [
      { name: 'goes_on', type: 'bool', shape: [] },
      { name: 'next', shape },
    ],
  };
  return writeOnnxModel({
    graph: {
      nodes: [
        { op: 'ReduceMax', inputs: ['x'], outputs: ['most'], attributes: [{ name: 'keepdims', int: 0 }] },
        { op: 'Cast', inputs: ['most'], outputs: ['rounds'], attributes: [{ name: 'to', int: 7 }] },
        { op: 'Loop', inputs: ['rounds', 'begin', 'x'], outputs: ['y'], attributes: [{ name: 'body', graph: body }] },
      ],
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y', shape }],
      initializers: [{ name: 'begin', type: 'bool', dims: [], raw: Buffer.from([1]) }],
    },
  });
}

/** Takes memory for as many float32 as the greatest of its input says: `x` float32 [N, 1] → `y`, the same numbers. */
export function allocatingModel(): Buffer {
  const shape = ['N', 1];
  return writeOnnxModel({
    graph: {
      nodes: [
        { op: 'ReduceMax', inputs: ['x'], outputs: ['most'], attributes: [{ name: 'keepdims', int: 0 }] },
        { op: 'Cast', inputs: ['most'], outputs: ['count'], attributes: [{ name: 'to', int: 7 }] },
        { op: 'Reshape', inputs: ['count', 'one'], outputs: ['size'] },
        { op: 'ConstantOfShape', inputs: ['size'], outputs: ['zeros'] },
        { op: 'ReduceSum', inputs: ['zeros'], outputs: ['zero'], attributes: [{ name: 'keepdims', int: 0 }] },
        { op: 'Add', inputs: ['x', 'zero'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y', shape }],
      initializers: [{ name: 'one', type: 'int64', dims: [1], raw: int64s(1) }],
    },
  });
}

/** Asks for `elements` float32 at once, 4 TB by default, whatever its input `x` float32 [N, 1] is. */
export function hugeAllocationModel(elements: number | bigint = 1_000_000_000_000n): Buffer {
  return writeOnnxModel({
    graph: {
      nodes: [
        { op: 'ConstantOfShape', inputs: ['size'], outputs: ['zeros'] },
        { op: 'ReduceSum', inputs: ['zeros'], outputs: ['zero'], attributes: [{ name: 'keepdims', int: 0 }] },
        { op: 'Add', inputs: ['x', 'zero'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', shape: ['N', 1] }],
      outputs: [{ name: 'y', shape: ['N', 1] }],
      initializers: [{ name: 'size', type: 'int64', dims: [1], raw: int64s(elements) }],
    },
  });
}

/** A weight that is said to lie in another file, which a server must not open. */
export function externalDataModel(location = '../../etc/passwd'): Buffer {
  return writeOnnxModel({
    graph: {
      nodes: [{ op: 'Add', inputs: ['x', 'weight'], outputs: ['y'] }],
      inputs: [{ name: 'x', shape: ['N', 1] }],
      outputs: [{ name: 'y', shape: ['N', 1] }],
      initializers: [{ name: 'weight', type: 'float32', dims: [1], external: location }],
    },
  });
}

/** An operator of a domain that no runtime knows. */
export function customDomainModel(domain = 'org.example.private'): Buffer {
  const node: OnnxNode = { op: 'Telepathy', inputs: ['x'], outputs: ['y'], domain };
  return single(node, { opsets: { '': 17, [domain]: 1 } });
}

/** `depth` If operators, each inside a branch of the one before. */
export function deepSubgraphModel(depth: number): Buffer {
  const shape = ['N', 1];
  const outputs = [{ name: 'y', shape }];
  let branch: OnnxGraph = { nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], inputs: [], outputs };
  for (let level = 0; level < depth; level++) {
    const attributes = [
      { name: 'then_branch', graph: branch },
      {
        name: 'else_branch',
        graph: { nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }], inputs: [], outputs },
      },
    ];
    branch = { nodes: [{ op: 'If', inputs: ['always'], outputs: ['y'], attributes }], inputs: [], outputs };
  }
  return writeOnnxModel({
    graph: {
      ...branch,
      inputs: [{ name: 'x', shape }],
      initializers: [{ name: 'always', type: 'bool', dims: [], raw: Buffer.from([1]) }],
    },
  });
}

/** A chain of `count` operators. */
export function manyNodesModel(count: number): Buffer {
  const nodes = Array.from({ length: count }, (_, index) => ({
    op: 'Identity',
    inputs: [index === 0 ? 'x' : `v${index}`],
    outputs: [index === count - 1 ? 'y' : `v${index + 1}`],
  }));
  return writeOnnxModel({
    graph: { nodes, inputs: [{ name: 'x', shape: ['N', 1] }], outputs: [{ name: 'y', shape: ['N', 1] }] },
  });
}

/** 64-bit integers as a tensor's raw data. */
export function int64s(...values: (number | bigint)[]): Buffer {
  const raw = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => {
    raw.writeBigInt64LE(BigInt(value), index * 8);
  });
  return raw;
}

/** A graph of one operator from `x` to `y`, which have the same type and shape. */
function single(
  node: OnnxNode,
  options: { type?: OnnxType; shape?: readonly (number | string)[]; opsets?: Record<string, number> } = {},
): Buffer {
  const { type = 'float32', shape = ['N', 3], opsets = { '': 17 } } = options;
  return writeOnnxModel({
    graph: { nodes: [node], inputs: [{ name: 'x', type, shape }], outputs: [{ name: 'y', type, shape }] },
    opsets,
  });
}
