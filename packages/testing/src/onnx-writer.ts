// Writes ONNX models, sound and hostile ones, field by field as onnx.proto numbers them: tests need no Python for them.

/** Element types by their number in TensorProto.DataType. */
export const onnxTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;

export type OnnxType = keyof typeof onnxTypes;

export interface OnnxValue {
  readonly name: string;
  readonly type?: OnnxType;
  /** A number is a fixed dimension, a string a symbolic one. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxTensor {
  readonly name?: string;
  readonly type: OnnxType;
  readonly dims: readonly (number | bigint)[];
  readonly raw?: Uint8Array;
  /** Location of external data, which a server must never open. */
  readonly external?: string;
}

export type OnnxAttribute =
  | { readonly name: string; readonly int: number | bigint }
  | { readonly name: string; readonly ints: readonly number[] }
  | { readonly name: string; readonly floats: readonly number[] }
  | { readonly name: string; readonly string: string }
  | { readonly name: string; readonly strings: readonly string[] }
  | { readonly name: string; readonly tensor: OnnxTensor }
  | { readonly name: string; readonly graph: OnnxGraph };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly domain?: string;
  readonly attributes?: readonly OnnxAttribute[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers?: readonly OnnxTensor[];
}

export interface OnnxFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxModel {
  readonly graph: OnnxGraph;
  readonly irVersion?: number;
  readonly opsets?: Readonly<Record<string, number>>;
  readonly functions?: readonly OnnxFunction[];
}

/** The bytes of a model file. */
export function writeOnnxModel(model: OnnxModel): Buffer {
  return Buffer.concat([
    varintField(1, model.irVersion ?? 8),
    bytesField(2, 'pademelon-tests'),
    bytesField(7, graph(model.graph)),
    ...Object.entries(model.opsets ?? { '': 17 }).map(([domain, version]) =>
      bytesField(8, Buffer.concat([bytesField(1, domain), varintField(2, version)])),
    ),
    ...(model.functions ?? []).map((item) => bytesField(25, onnxFunction(item))),
  ]);
}

/** A field with a varint; negative numbers as the 64-bit two's complement that protobuf asks for. */
export function varintField(field: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** A length-delimited field: a string, bytes or an encoded message. */
export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function graph(item: OnnxGraph): Buffer {
  return Buffer.concat([
    ...item.nodes.map((value) => bytesField(1, node(value))),
    bytesField(2, 'graph'),
    ...(item.initializers ?? []).map((value) => bytesField(5, tensor(value))),
    ...item.inputs.map((value) => bytesField(11, valueInfo(value))),
    ...item.outputs.map((value) => bytesField(12, valueInfo(value))),
  ]);
}

function node(item: OnnxNode): Buffer {
  return Buffer.concat([
    ...item.inputs.map((name) => bytesField(1, name)),
    ...item.outputs.map((name) => bytesField(2, name)),
    bytesField(4, item.op),
    ...(item.attributes ?? []).map((value) => bytesField(5, attribute(value))),
    ...(item.domain === undefined ? [] : [bytesField(7, item.domain)]),
  ]);
}

function attribute(item: OnnxAttribute): Buffer {
  const name = bytesField(1, item.name);
  if ('int' in item) return Buffer.concat([name, varintField(3, item.int), varintField(20, 2)]);
  if ('string' in item) return Buffer.concat([name, bytesField(4, item.string), varintField(20, 3)]);
  if ('tensor' in item) return Buffer.concat([name, bytesField(5, tensor(item.tensor)), varintField(20, 4)]);
  if ('floats' in item) {
    const packed = bytesField(7, new Uint8Array(Float32Array.from(item.floats).buffer));
    return Buffer.concat([name, packed, varintField(20, 6)]);
  }
  if ('strings' in item) {
    return Buffer.concat([name, ...item.strings.map((value) => bytesField(9, value)), varintField(20, 8)]);
  }
  if ('graph' in item) return Buffer.concat([name, bytesField(6, graph(item.graph)), varintField(20, 5)]);
  return Buffer.concat([name, ...item.ints.map((value) => varintField(8, value)), varintField(20, 7)]);
}

function tensor(item: OnnxTensor): Buffer {
  const location = [bytesField(1, 'location'), bytesField(2, item.external ?? '')];
  return Buffer.concat([
    ...item.dims.map((size) => varintField(1, size)),
    varintField(2, onnxTypes[item.type]),
    ...(item.name === undefined ? [] : [bytesField(8, item.name)]),
    ...(item.raw === undefined ? [] : [bytesField(9, item.raw)]),
    ...(item.external === undefined ? [] : [bytesField(13, Buffer.concat(location)), varintField(14, 1)]),
  ]);
}

function valueInfo(item: OnnxValue): Buffer {
  const shape = Buffer.concat(
    item.shape.map((size) => bytesField(1, typeof size === 'string' ? bytesField(2, size) : varintField(1, size))),
  );
  const tensorType = Buffer.concat([varintField(1, onnxTypes[item.type ?? 'float32']), bytesField(2, shape)]);
  return Buffer.concat([bytesField(1, item.name), bytesField(2, bytesField(1, tensorType))]);
}

function onnxFunction(item: OnnxFunction): Buffer {
  return Buffer.concat([
    bytesField(1, item.name),
    ...item.inputs.map((name) => bytesField(4, name)),
    ...item.outputs.map((name) => bytesField(5, name)),
    ...item.nodes.map((value) => bytesField(7, node(value))),
    bytesField(9, Buffer.concat([bytesField(1, ''), varintField(2, 17)])),
    bytesField(10, item.domain),
  ]);
}
