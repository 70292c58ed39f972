import type { ColumnType } from '@pademelon/contracts';
import { FlatTable, safeInteger, VisitBudget } from './flat-table.ts';

/*
 * The structure of Arrow IPC files (apache/arrow, format/{File,Message,Schema}.fbs), read without a library: the one
 * for JavaScript can be sent into an endless loop by a damaged file, and a pod reads what strangers send (see
 * docs/decisions/0011). Only the types
 * that tensors and the log have a form for are known. Damage shows as RangeError.
 */

/** Fields, blocks, nodes and buffers that one file may have altogether. */
const maxVisits = 100_000;
const maxDepth = 16;

export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
}

export type ArrowType =
  | { readonly kind: 'number'; readonly type: ColumnType }
  | { readonly kind: 'float16' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'text'; readonly isLarge: boolean }
  | { readonly kind: 'list'; readonly isLarge: boolean; readonly item: ArrowType }
  | { readonly kind: 'fixed-list'; readonly size: number; readonly item: ArrowType }
  | { readonly kind: 'dictionary'; readonly id: number; readonly index: ArrowType; readonly values: ArrowType }
  /** What we have no form for, with the name that Arrow gives it. */
  | { readonly kind: 'unsupported'; readonly arrowName: string };

export interface ArrowBatch {
  readonly rowCount: number;
  readonly nodes: readonly { readonly length: number; readonly nullCount: number }[];
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
  readonly compression: 'lz4' | 'zstd' | null;
  readonly body: Uint8Array;
}

export interface ArrowFile {
  readonly fields: readonly ArrowField[];
  readonly batches: readonly ArrowBatch[];
  /** The batches of each dictionary, in order. */
  readonly dictionaries: ReadonlyMap<number, readonly ArrowBatch[]>;
}

const magicBytes = 6;
const [dictionaryHeader, recordHeader] = [2, 3];

/** `bytes` begin and end with Arrow's magic; the caller has looked. */
export function readArrowFile(bytes: Uint8Array): ArrowFile {
  const budget = new VisitBudget(maxVisits);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthAt = bytes.length - magicBytes - 4;
  const footerLength = view.getInt32(lengthAt, true);
  if (footerLength <= 0 || footerLength > lengthAt) throw new RangeError('its footer is out of range');
  const footer = FlatTable.root(bytes.subarray(lengthAt - footerLength, lengthAt), budget);
  const schema = footer.table(1);
  if (schema === null) throw new RangeError('it has no schema');
  if (schema.int16(0) !== 0) throw new RangeError('its numbers are big-endian, which is not supported');
  const dictionaries = new Map<number, ArrowBatch[]>();
  for (const block of readBlocks(footer, 2)) {
    const header = readMessage(bytes, block, { expected: dictionaryHeader, budget });
    const data = header.table.table(1);
    if (data === null) throw new RangeError('a dictionary is empty');
    const id = header.table.int64(0);
    const isDelta = header.table.int8(2) !== 0;
    const batch = readBatch(data, header.body);
    dictionaries.set(id, isDelta ? [...(dictionaries.get(id) ?? []), batch] : [batch]);
  }
  const batches = readBlocks(footer, 3).map((block) => {
    const header = readMessage(bytes, block, { expected: recordHeader, budget });
    return readBatch(header.table, header.body);
  });
  return { fields: schema.tables(1).map((field) => readField(field, 0)), batches, dictionaries };
}

interface Block {
  readonly offset: number;
  readonly metadataLength: number;
  readonly bodyLength: number;
}

function readBlocks(footer: FlatTable, field: number): Block[] {
  return footer.structs(field, 24, (view, at) => ({
    offset: safeInteger(view.getBigInt64(at, true)),
    metadataLength: view.getInt32(at + 8, true),
    bodyLength: safeInteger(view.getBigInt64(at + 16, true)),
  }));
}

/** The message of a block must be of the kind that the footer promises, and lie within the file with its body. */
function readMessage(
  bytes: Uint8Array,
  { offset, metadataLength, bodyLength }: Block,
  { expected, budget }: { expected: number; budget: VisitBudget },
): { table: FlatTable; body: Uint8Array } {
  const bodyAt = offset + metadataLength;
  if (metadataLength < 8 || bodyAt + bodyLength > bytes.length) throw new RangeError('a block is out of range');
  const prefix = new DataView(bytes.buffer, bytes.byteOffset + offset, 4);
  const prefixLength = prefix.getUint32(0, true) === 0xffffffff ? 8 : 4;
  const message = FlatTable.root(bytes.subarray(offset + prefixLength, bodyAt), budget);
  const table = message.table(2);
  if (table === null || message.int8(1) !== expected) throw new RangeError('a block is not what its footer says');
  return { table, body: bytes.subarray(bodyAt, bodyAt + bodyLength) };
}

function readBatch(table: FlatTable, body: Uint8Array): ArrowBatch {
  const pair = (view: DataView, at: number): [number, number] => [
    safeInteger(view.getBigInt64(at, true)),
    safeInteger(view.getBigInt64(at + 8, true)),
  ];
  const compression = table.table(3);
  return {
    rowCount: table.int64(0),
    nodes: table.structs(1, 16, pair).map(([length, nullCount]) => ({ length, nullCount })),
    buffers: table.structs(2, 16, pair).map(([offset, length]) => ({ offset, length })),
    compression: compression === null ? null : compression.int8(0) === 0 ? 'lz4' : 'zstd',
    body,
  };
}

function readField(field: FlatTable, depth: number): ArrowField {
  if (depth > maxDepth) throw new RangeError('its types are nested too deeply');
  const own = readType(field, depth);
  const dictionary = field.table(4);
  if (dictionary === null) return { name: field.string(0), type: own };
  const index = dictionary.table(1);
  const type: ArrowType = {
    kind: 'dictionary',
    id: dictionary.int64(0),
    index: index === null ? { kind: 'number', type: 'int32' } : readInt(index),
    values: own,
  };
  return { name: field.string(0), type };
}

/** Names by number in the union Type of Schema.fbs. */
const typeNames =
  'none Null Int FloatingPoint Binary Utf8 Bool Decimal Date Time Timestamp Interval List Struct Union FixedSizeBinary FixedSizeList Map Duration LargeBinary LargeUtf8 LargeList RunEndEncoded BinaryView Utf8View ListView LargeListView'.split(
    ' ',
  );

function readType(field: FlatTable, depth: number): ArrowType {
  const arrowName = typeNames[field.int8(2)] ?? 'unknown';
  const details = field.table(3);
  if (details === null) return { kind: 'unsupported', arrowName };
  switch (arrowName) {
    case 'Int':
      return readInt(details);
    case 'FloatingPoint':
      if (details.int16(0) === 0) return { kind: 'float16' };
      return { kind: 'number', type: details.int16(0) === 1 ? 'float32' : 'float64' };
    case 'Bool':
      return { kind: 'bool' };
    case 'Utf8':
    case 'LargeUtf8':
      return { kind: 'text', isLarge: arrowName === 'LargeUtf8' };
    case 'List':
    case 'LargeList':
      return { kind: 'list', isLarge: arrowName === 'LargeList', item: readItem(field, depth) };
    case 'FixedSizeList':
      return { kind: 'fixed-list', size: Math.max(0, details.int32(0)), item: readItem(field, depth) };
    default:
      return { kind: 'unsupported', arrowName };
  }
}

function readItem(field: FlatTable, depth: number): ArrowType {
  const [item] = field.tables(5);
  if (item === undefined) throw new RangeError('a list has no items');
  return readField(item, depth + 1).type;
}

function readInt(details: FlatTable): ArrowType {
  const bits = details.int32(0);
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) throw new RangeError(`it has integers of ${bits} bits`);
  return { kind: 'number', type: `${details.int8(1) === 0 ? 'uint' : 'int'}${bits}` };
}
