import type { Column, ColumnType, ColumnValues } from '@pademelon/contracts';
import type { LogColumn } from '@pademelon/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrowBatchCodec } from './arrow-batch-codec.ts';
import { buildBatch } from './build-batch.ts';
import { frameKind } from './frame-layout.ts';
import { LogFrameEncoder } from './log-frame-encoder.ts';
import { LogFrameSplitter } from './log-frame-splitter.ts';
import type { LogRecord } from './log-record.ts';
import { numberedRecord, origin } from './log-record-fixtures.ts';
import {
  FrameError,
  type ReceivedRecord,
  type ReceivedSchema,
  readRecordFrame,
  readSchemaFrame,
} from './received-record.ts';

const arrays: Record<Exclude<ColumnType, 'utf8'>, (numbers: number[]) => ColumnValues> = {
  float32: (numbers) => Float32Array.from(numbers),
  float64: (numbers) => Float64Array.from(numbers, (n) => n * Math.PI),
  int8: (numbers) => Int8Array.from(numbers),
  int16: (numbers) => Int16Array.from(numbers),
  int32: (numbers) => Int32Array.from(numbers),
  int64: (numbers) => BigInt64Array.from(numbers, (n) => BigInt(n) << 30n),
  uint8: (numbers) => Uint8Array.from(numbers),
  uint16: (numbers) => Uint16Array.from(numbers),
  uint32: (numbers) => Uint32Array.from(numbers),
  uint64: (numbers) => BigUint64Array.from(numbers, (n) => BigInt(Math.abs(n))),
  bool: (numbers) => Uint8Array.from(numbers, (n) => n & 1),
};

const shapes = fc.array(
  fc.record({
    type: fc.constantFrom<ColumnType>(...(Object.keys(arrays) as ColumnType[]), 'utf8'),
    rowShape: fc.oneof(fc.constant([]), fc.tuple(fc.integer({ min: 1, max: 5 })), fc.constant([2, 3])),
    isRagged: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

function makeColumn(
  shape: { type: ColumnType; rowShape: readonly number[]; isRagged: boolean },
  number: number,
  rowCount: number,
) {
  const { type, isRagged } = shape;
  const rowShape = isRagged ? [-1] : shape.rowShape;
  const offsets = Int32Array.from({ length: rowCount + 1 }, (_, row) => ((row * (row + number)) % 97) + row * 97);
  const count = isRagged ? offsets[rowCount]! - offsets[0]! : rowCount * rowShape.reduce((a, b) => a * b, 1);
  const numbers = Array.from({ length: count }, (_, i) => ((i * 7919 + number) % 200) - 100);
  const values = type === 'utf8' ? numbers.map((n) => (n % 3 === 0 ? '' : `${n}é😀`)) : arrays[type](numbers);
  const column = { name: `in.${number}`, type, rowShape, values };
  return (isRagged ? { ...column, offsets: offsets.map((offset) => offset - offsets[0]!) } : column) as Column;
}

/** Sends the bytes through a splitter in pieces and reads the frames as the collector does. */
function receive(bytes: Buffer, pieceBytes: number): ReceivedRecord[] {
  const splitter = new LogFrameSplitter();
  const schemas: ReceivedSchema[] = [];
  const records: ReceivedRecord[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    splitter.push(Buffer.from(bytes.subarray(at, at + pieceBytes)), (kind, frame) => {
      if (kind === frameKind.schema) {
        const { id, schema } = readSchemaFrame(frame);
        schemas[id] = schema;
      } else if (kind === frameKind.record) {
        records.push(readRecordFrame(frame, schemas[frame.readUInt32LE(8)]!));
      }
    });
  }
  expect(splitter.waitingBytes).toBe(0);
  return records;
}

function plain(column: Column | LogColumn) {
  const { name, type, rowShape, values } = column;
  const offsets = column.offsets === undefined ? null : Array.from(column.offsets);
  return { name, type, rowShape, offsets, values: plainValues(values) };
}

function plainValues(values: ColumnValues | LogColumn['values']): unknown[] {
  if (ArrayBuffer.isView(values)) return Array.from(values as Float64Array);
  if (Array.isArray(values)) return [...values];
  const { byteOffsets, bytes } = values as { byteOffsets: Int32Array; bytes: Uint8Array };
  return Array.from({ length: byteOffsets.length - 1 }, (_, i) =>
    Buffer.from(bytes.subarray(byteOffsets[i], byteOffsets[i + 1])).toString(),
  );
}

/** The same record twice as one column has it, values after values and offsets moved on. */
function twice(column: Column) {
  const once = plain(column);
  const offsets = once.offsets && [...once.offsets, ...once.offsets.slice(1).map((o) => o + once.offsets!.at(-1)!)];
  return { ...once, offsets, values: [...once.values, ...once.values] };
}

test('records of any columns arrive in the batch as they were written, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      shapes,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 5000 }),
      async (list, rows, piece) => {
        const columns = list.map((shape, number) => makeColumn(shape, number, rows));
        const checkFailures = Array.from({ length: rows }, (_, row) =>
          row % 3 === 1 ? ['too-dear', 'too-cheap'] : [],
        );
        const record: LogRecord = { ...numberedRecord(0, rows), columns, checkFailures };
        const encoder = new LogFrameEncoder(origin);
        encoder.append({ ...record, timeMs: 1_700_000_000_200 });
        encoder.append({ ...record, timeMs: 1_700_000_000_100.5 });
        const received = receive(encoder.take(), piece);
        expect(received.map(({ recordsBefore, rowsBefore }) => [recordsBefore, rowsBefore])).toEqual([
          [0, 0],
          [1, rows],
        ]);
        const built = buildBatch(received);
        const batch = await arrowBatchCodec.decode(await arrowBatchCodec.encode(built));
        expect(batch.columns.map(plain)).toEqual(columns.map(twice));
        expect(batch.timesMs[0]).toBe(1_700_000_000_100);
        expect(batch.timesMs.at(-1)).toBe(1_700_000_000_200);
        expect(batch.facts).toEqual(built.facts);
        const failures = Array.from({ length: rows * 2 }, (_, row) =>
          batch.failures === null
            ? []
            : Array.from(batch.failures.numbers.subarray(batch.failures.offsets[row], batch.failures.offsets[row + 1])),
        );
        const expected = checkFailures.map((names) => names.map((name) => origin.checks.indexOf(name)));
        expect(failures).toEqual([...expected, ...expected]);
      },
    ),
    { numRuns: 150 },
  );
});

test('a schema is sent once, and again after a new connection', () => {
  const encoder = new LogFrameEncoder(origin);
  encoder.append(numberedRecord(0, 1));
  const first = encoder.take().length;
  encoder.append(numberedRecord(1, 1));
  const second = encoder.take().length;
  expect(second).toBeLessThan(first);
  encoder.reset();
  encoder.append(numberedRecord(2, 1));
  expect(encoder.take().length).toBe(first);
});

test('bytes handed out are not written over before they are given back', () => {
  const encoder = new LogFrameEncoder(origin);
  encoder.append(numberedRecord(5, 3));
  const frames = encoder.take();
  const copy = Buffer.from(frames);
  for (let i = 0; i < 50; i++) encoder.append(numberedRecord(i, 20));
  encoder.take();
  expect(frames.equals(copy)).toBe(true);
});

test('a record that is too large is logged without its largest column, which is named', () => {
  const encoder = new LogFrameEncoder(origin, { maxRecordBytes: 1_000 });
  const values = new Float32Array(1_000);
  const [tensor, ...others] = numberedRecord(0, 1).columns;
  encoder.append({ ...numberedRecord(0, 1), columns: [{ ...tensor!, rowShape: [1_000], values }, ...others] });
  const [record] = receive(encoder.take(), 64);
  expect(record!.schema.dropped).toEqual(['in.tensor']);
  expect(record!.schema.columns.map(({ name }) => name)).toEqual(['in.index', 'out.variable']);
});

test('a column of the wrong length is refused and leaves nothing behind', () => {
  const encoder = new LogFrameEncoder(origin);
  const record = numberedRecord(0, 2);
  encoder.take();
  expect(() => encoder.append({ ...record, rowCount: 3 })).toThrow(RangeError);
  expect(encoder.pendingBytes).toBe(0);
  expect(encoder.records).toBe(0);
});

test('bytes that are not frames are refused', () => {
  const push = (...words: number[]) =>
    new LogFrameSplitter().push(Buffer.from(Uint32Array.from(words).buffer), () => {});
  expect(() => push(4, 1)).toThrow(FrameError);
  expect(() => push(0x7ffffff8, 1)).toThrow(FrameError);
  const encoder = new LogFrameEncoder(origin);
  encoder.append(numberedRecord(0, 2));
  const [record] = receive(encoder.take(), 4096);
  expect(() => readRecordFrame(record!.frame.subarray(0, -8), record!.schema)).toThrow(FrameError);
});

test('a record that no frame can hold is skipped, counted, and leaves the ones beside it whole', () => {
  const encoder = new LogFrameEncoder(origin);
  const rowCount = 4_300_000;
  const flags: Column = { name: 'in.flag', type: 'bool', rowShape: [], values: new Uint8Array(rowCount) };
  const checkFailures = Array<string[]>(rowCount).fill(['too-dear', 'too-cheap']);
  expect(encoder.append(numberedRecord(0, 2))).toBe(true);
  expect(encoder.append({ ...numberedRecord(0, 1), rowCount, columns: [flags], checkFailures })).toBe(false);
  expect(encoder.append(numberedRecord(0, 3))).toBe(true);
  const received = receive(encoder.take(), 4_000);
  expect(received.map((record) => [record.recordsBefore, record.rowsBefore, record.rowCount])).toEqual([
    [0, 0, 2],
    [2, rowCount + 2, 3],
  ]);
});
