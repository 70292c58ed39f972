import { isUtf8 } from 'node:buffer';
import { type Column, type ColumnType, type ColumnValues, numberArrays, openDatatypes } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { InputHints } from '../input-batch.ts';
import { rowWidth, shapeText } from '../tensor-spec.ts';
import { allocateValues } from '../typed-values.ts';
import { requireFinite } from './finite-values.ts';
import { convertJsonValue } from './json-value.ts';
import { type JsonObject, readParameters, refuseSharedMemory } from './open-parameters.ts';

/** Where the next binary tensor begins in the body; null when the body is JSON alone. */
export interface BinaryTensors {
  readonly body: Buffer;
  at: number | null;
}

export interface TensorReadOptions {
  readonly binary: BinaryTensors;
  readonly hints: InputHints;
  readonly takesOnlyHinted: boolean;
}

/** A column with the number of its rows. */
export interface OpenTensor extends Column {
  readonly rowCount: number;
}

const columnTypes: ReadonlyMap<unknown, ColumnType> = new Map(
  Object.entries(openDatatypes).map(([type, datatype]) => [datatype, type as ColumnType]),
);
const maxDimensions = 32;

/** An input of a request: `{"name", "shape", "datatype", "data"}`, or with `binary_data_size` in place of the data. */
export function readOpenTensor(input: JsonObject, { binary, hints, takesOnlyHinted }: TensorReadOptions): OpenTensor {
  const name = input['name'] as string;
  const hint = hints.get(name);
  if (hint === undefined && takesOnlyHinted) throw unknownInput(name, hints);
  const type = readType(name, input['datatype']);
  if (hint !== undefined && hint.type !== type) {
    throw invalid(name, `is of the datatype ${openDatatypes[type]}, but the model takes ${openDatatypes[hint.type]}`);
  }
  const shape = readShape(name, input['shape']);
  const values = readValues(input, { name, type, shape }, binary);
  const [rowCount, ...rowShape] = shape;
  const column = { name, type, rowShape, values };
  if (hint !== undefined) requireFinite(column, rowCount!);
  return { ...column, rowCount: rowCount! };
}

function readType(name: string, datatype: unknown): ColumnType {
  const type = columnTypes.get(datatype);
  if (type !== undefined) return type;
  const known = [...columnTypes.keys()].join(', ');
  throw invalid(name, `has the datatype ${describe(datatype)}; supported are ${known}`);
}

function readShape(name: string, shape: unknown): number[] {
  const isShape =
    Array.isArray(shape) &&
    shape.length > 0 &&
    shape.length <= maxDimensions &&
    shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0);
  if (isShape) return shape;
  throw invalid(name, 'must have a "shape", a list of whole numbers from 0 of which the first is the number of rows');
}

interface TensorHead {
  readonly name: string;
  readonly type: ColumnType;
  readonly shape: readonly number[];
}

function readValues(input: JsonObject, head: TensorHead, binary: BinaryTensors): ColumnValues {
  const { data } = input;
  const owner = `input ${JSON.stringify(head.name)}`;
  const parameters = readParameters(input['parameters'], owner);
  refuseSharedMemory(parameters, owner);
  const size = parameters['binary_data_size'];
  if ((data === undefined) === (size === undefined)) {
    throw invalid(head.name, 'must have either "data" or the parameter "binary_data_size"');
  }
  if (size === undefined) return readJsonData(data, head);
  if (!Number.isSafeInteger(size) || (size as number) < 0) {
    throw invalid(head.name, `has the binary_data_size ${describe(size)}; it must be a whole number of bytes from 0`);
  }
  return readBinary(takeBytes(head.name, size as number, binary), head);
}

function takeBytes(name: string, size: number, binary: BinaryTensors): Buffer {
  if (binary.at === null) {
    throw invalid(name, 'is said to be binary, but the header Inference-Header-Content-Length is missing');
  }
  const end = binary.at + size;
  if (end > binary.body.length) {
    throw invalid(
      name,
      `is said to have ${size} bytes, but only ${binary.body.length - binary.at} of the body are left`,
    );
  }
  const bytes = binary.body.subarray(binary.at, end);
  binary.at = end;
  return bytes;
}

/** Little-endian values, row by row. */
function readBinary(bytes: Buffer, { name, type, shape }: TensorHead): ColumnValues {
  const count = rowWidth(shape)!;
  if (type === 'utf8') return readTexts(name, bytes, count);
  const array = numberArrays[type] as typeof Float32Array;
  if (bytes.length !== count * array.BYTES_PER_ELEMENT) {
    throw invalid(
      name,
      `has ${bytes.length} bytes, but ${openDatatypes[type]} of the shape ${shapeText(shape)} are ${count * array.BYTES_PER_ELEMENT}`,
    );
  }
  const isAligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset } = isAligned ? bytes : Uint8Array.from(bytes);
  const values = new array(buffer as ArrayBuffer, byteOffset, count);
  if (type === 'bool' && values.some((value) => value > 1))
    throw invalid(name, 'has a boolean that is neither 0 nor 1');
  return values;
}

/** Each text is its length in four bytes, little-endian, and its bytes. */
function readTexts(name: string, bytes: Buffer, count: number): string[] {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length && texts.length < count) {
    const start = at + 4;
    const end = start > bytes.length ? start : start + bytes.readUInt32LE(at);
    if (end > bytes.length) throw invalid(name, `ends in the middle of element ${texts.length}`);
    const text = bytes.subarray(start, end);
    if (!isUtf8(text)) throw invalid(name, `has an element ${texts.length} that is not UTF-8; only text is supported`);
    texts.push(text.toString());
    at = end;
  }
  if (texts.length === count && at === bytes.length) return texts;
  const found = at < bytes.length ? 'more' : `only ${texts.length}`;
  throw invalid(name, `must have ${count} elements by its shape, but its bytes hold ${found}`);
}

/** Flat, or nested as the shape says. */
function readJsonData(data: unknown, head: TensorHead): ColumnValues {
  const { name, type, shape } = head;
  const count = rowWidth(shape)!;
  if (!Array.isArray(data)) throw invalid(name, 'must have a list as its "data"');
  const isNested = shape.length > 1 && Array.isArray(data[0]);
  // Before any memory is set aside: what a shape promises must be there.
  const leaves = isNested ? flatten(data, head) : data;
  if (leaves.length !== count) {
    throw invalid(name, `has ${leaves.length} values, but the shape ${shapeText(shape)} is of ${count}`);
  }
  const values = allocateValues(type, count);
  const width = shape[0] === 0 ? 0 : count / shape[0]!;
  for (let at = 0; at < count; at += 1) {
    const row = Math.floor(at / width);
    values[at] = convertJsonValue(leaves[at], type, { name, row, index: shape.length === 1 ? -1 : at - row * width });
  }
  return values;
}

function flatten(data: readonly unknown[], { name, shape }: TensorHead): readonly unknown[] {
  let lists: readonly unknown[] = [data];
  for (const dimension of shape) {
    if (!lists.every((list) => Array.isArray(list) && list.length === dimension)) {
      throw invalid(name, `has nested lists that are not of the shape ${shapeText(shape)}`);
    }
    lists = (lists as readonly unknown[][]).flat();
  }
  return lists;
}

function unknownInput(name: string, hints: InputHints): DomainError {
  const known = [...hints.keys()].map((hint) => JSON.stringify(hint)).join(', ');
  return new DomainError('invalid_input', `The model has no input ${JSON.stringify(name)}; it takes ${known}.`);
}

function describe(value: unknown): string {
  const text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function invalid(name: string, claim: string): DomainError {
  return new DomainError('invalid_input', `Input ${JSON.stringify(name)} ${claim}.`);
}
