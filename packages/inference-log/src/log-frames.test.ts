import type { Column, ColumnType, ColumnValues } from '@pademelon/contracts';
import { failedRows, gatherRows, type LogBatch, type LogColumn, schemaFingerprint } from '@pademelon/domain';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { arrowBatchDecoder, encodeArrowBatch } from './arrow-batch-codec.ts';
import { BatchMemory, SpareBatchMemory } from './batch-memory.ts';
import { batchBytes, buildBatch } from './build-batch.ts';
import { encodeFrames } from './encode-frames.ts';
import { frameKind } from './frame-layout.ts';
import { LogFrameEncoder } from './log-frame-encoder.ts';
import { LogFrameSplitter } from './log-frame-splitter.ts';
import type { LogRecord } from './log-record.ts';
import { numberedRecord, origin } from './log-record-fixtures.ts';
import {
  FrameError,
  type ReceivedSchema,
  type RecordFrame,
  readRecordFrame,
  readSchemaFrame,
} from './received-frames.ts';

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
function receive(bytes: Buffer, pieceBytes: number): RecordFrame[] {
  const splitter = new LogFrameSplitter();
  const schemas: ReceivedSchema[] = [];
  const frames: RecordFrame[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    splitter.push(Buffer.from(bytes.subarray(at, at + pieceBytes)), (kind, frame) => {
      if (kind === frameKind.schema) {
        const { id, schema } = readSchemaFrame(frame);
        schemas[id] = schema;
      } else if (kind === frameKind.record) {
        frames.push(readRecordFrame(frame, schemas[frame.readUInt32LE(8)]!));
      }
    });
  }
  expect(splitter.waitingBytes).toBe(0);
  return frames;
}

/** The batch of the frames, as it is read again when it was stored. */
async function throughStorage(frames: readonly RecordFrame[]) {
  const memory = new BatchMemory(batchBytes(frames));
  const built = buildBatch(frames, memory);
  const { facts } = built;
  return { facts, batch: await arrowBatchDecoder.decode(await encodeArrowBatch(built, memory)) };
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
        const { facts, batch } = await throughStorage(received);
        expect(batch.columns.map(plain)).toEqual(columns.map(twice));
        expect(batch.timesMs[0]).toBe(1_700_000_000_100);
        expect(batch.timesMs.at(-1)).toBe(1_700_000_000_200);
        expect(batch.facts).toEqual(facts);
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

/** All that a batch says of each of its rows. */
function plainRows({ rowCount, timesMs, columns, failures, elapsedNs, pods, facts }: LogBatch) {
  const plainColumns = columns.map(plain);
  return Array.from({ length: rowCount }, (_, row) => ({
    timeMs: timesMs[row],
    elapsedNs: elapsedNs.map((times) => times[row]),
    podId: facts.podIds[pods[row]!],
    failed: Array.from(failures?.numbers.subarray(failures.offsets[row], failures.offsets[row + 1]) ?? []),
    values: plainColumns.map(({ rowShape, offsets, values }) => {
      const size = rowShape.reduce((a, b) => a * b, 1);
      return offsets === null
        ? values.slice(row * size, (row + 1) * size)
        : values.slice(offsets[row], offsets[row + 1]);
    }),
  }));
}

test('the failed rows of a batch of any columns are a batch that has all of them and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      shapes,
      fc.array(fc.subarray([...origin.checks]), { minLength: 1, maxLength: 30 }),
      async (list, checkFailures) => {
        fc.pre(checkFailures.some((names) => names.length > 0));
        const rowCount = checkFailures.length;
        const columns = list.map((shape, number) => makeColumn(shape, number, rowCount));
        const frames = ['a', 'b'].flatMap((podId, i) => {
          const encoder = new LogFrameEncoder({ ...origin, podId });
          encoder.append({ ...numberedRecord(i, rowCount), columns, checkFailures, elapsedNs: [i, i + 10] });
          return receive(encoder.take(), 5_000);
        });
        const memory = new BatchMemory(batchBytes(frames));
        const built = buildBatch(frames, memory);
        const gathered = gatherRows(built, failedRows(built));
        const whole = await arrowBatchDecoder.decode(await encodeArrowBatch(built, memory));
        const failed = await arrowBatchDecoder.decode(await encodeArrowBatch(gathered, new BatchMemory(0)));
        expect(plainRows(failed)).toEqual(plainRows(whole).filter((row) => row.failed.length > 0));
        expect(failed.facts).toEqual(whole.facts);
        expect(schemaFingerprint(failed)).toBe(schemaFingerprint(whole));
      },
    ),
    { numRuns: 150 },
  );
});

async function encodeRows(rowCount: number, isFailed: (row: number) => boolean) {
  const encoder = new LogFrameEncoder(origin);
  const checkFailures = Array.from({ length: rowCount }, (_, row) => (isFailed(row) ? ['too-dear'] : []));
  encoder.append({ ...numberedRecord(0, rowCount), checkFailures });
  return encodeFrames(receive(encoder.take(), 100_000), new SpareBatchMemory());
}

test('few failed rows among many are stored by themselves as well, and the batch stays whole', async () => {
  const { bytes, failedBytes, failureCount } = await encodeRows(5_000, (row) => row % 100 === 7);
  expect(failureCount).toBe(50);
  expect(failedBytes!.length).toBeLessThan(bytes.length / 10);
  const failed = await arrowBatchDecoder.decode(failedBytes!);
  const numbers = Array.from({ length: 50 }, (_, i) => String(i * 100 + 7));
  expect(plain(failed.columns[1]!).values).toEqual(numbers);
  const whole = await arrowBatchDecoder.decode(bytes);
  expect(whole.timesMs[4_999]).toBe(numberedRecord(0, 1).timeMs);
  expect(plainRows(whole).filter((row) => row.failed.length > 0)).toEqual(plainRows(failed));
});

test('an encoded batch keeps no more memory than it has bytes, however small it is', async () => {
  const { bytes, failedBytes } = await encodeRows(5_000, (row) => row % 100 === 7);
  const { bytes: ofOneRow } = await encodeRows(1, () => false);
  for (const each of [bytes, failedBytes!, ofOneRow]) expect(each.buffer.byteLength).toBe(each.length);
});

test.each([
  ['no row failed', 5_000, () => false],
  ['nearly all failed', 5_000, (row: number) => row % 10 > 0],
  ['the batch is small', 20, (row: number) => row === 3],
] as const)('failed rows are not stored by themselves where %s', async (_, rowCount, isFailed) => {
  expect(await encodeRows(rowCount, isFailed)).toMatchObject({ rowCount, failedBytes: null });
});

/** Small enough, and without strings and ragged columns: it shares its frame with others of its moment. */
function smallRecord(first: number, rowCount: number, timeMs: number): LogRecord {
  const { columns, ...record } = numberedRecord(first, rowCount, timeMs);
  return { ...record, columns: columns.filter(({ type }) => type !== 'utf8'), elapsedNs: [first, -first] };
}

const noon = 1_700_000_000_000;

test('small records of one moment share a frame and stand in the batch one by one', async () => {
  const encoder = new LogFrameEncoder(origin);
  encoder.append({ ...smallRecord(1, 1, noon), checkFailures: [['too-cheap']] });
  encoder.append({ ...smallRecord(2, 3, noon), checkFailures: [[], ['too-dear', 'too-cheap'], []] });
  encoder.append(smallRecord(5, 1, noon));
  encoder.append(smallRecord(6, 1, noon + 1));
  encoder.append(smallRecord(7, 1, noon + 1));
  const received = receive(encoder.take(), 100);
  const counts = received.map((frame) => [frame.recordsBefore, frame.rowsBefore, frame.recordCount, frame.rowCount]);
  expect(counts).toEqual([
    [0, 0, 3, 5],
    [3, 5, 2, 2],
  ]);
  const { batch } = await throughStorage(received.toReversed());
  expect([...batch.timesMs]).toEqual([noon, noon, noon, noon, noon, noon + 1, noon + 1]);
  expect(batch.columns.map(({ values }) => Array.from(values as Float64Array, (n) => n * 3))).toEqual([
    [1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7].map((n) => n * 3),
    [1, 2, 3, 4, 5, 6, 7],
  ]);
  expect(batch.elapsedNs.map((times) => [...times])).toEqual([
    [1, 2, 2, 2, 5, 6, 7],
    [-1, -2, -2, -2, -5, -6, -7],
  ]);
  expect([...batch.failures!.offsets]).toEqual([0, 1, 1, 3, 3, 3, 3, 3]);
  expect([...batch.failures!.numbers]).toEqual([0, 1, 0]);
});

test('a record that was skipped, one of another schema and a large one end the frame that others share', () => {
  const encoder = new LogFrameEncoder(origin);
  encoder.append(smallRecord(1, 1, noon));
  encoder.skip(10);
  encoder.append(smallRecord(2, 1, noon));
  encoder.append({ ...smallRecord(3, 1, noon), lastModel: { name: 'other', sha: 'def' } });
  encoder.append(smallRecord(4, 1, noon));
  encoder.append(smallRecord(5, 1_000, noon));
  encoder.append(smallRecord(6, 1, noon));
  const received = receive(encoder.take(), 4_000);
  expect(received.map((frame) => [frame.recordsBefore, frame.rowsBefore, frame.rowCount])).toEqual([
    [0, 0, 1],
    [2, 11, 1],
    [3, 12, 1],
    [4, 13, 1],
    [5, 14, 1_000],
    [6, 1_014, 1],
  ]);
});

test('the stored stream comes about where the columns are, the failed checks among them', async () => {
  const encoder = new LogFrameEncoder(origin);
  const rows = 1_001;
  const checkFailures = Array.from({ length: rows }, (_, row) => (row % 7 === 0 ? ['too-dear'] : []));
  for (let i = 0; i < 3; i++) encoder.append({ ...numberedRecord(i, rows), checkFailures });
  const frames = receive(encoder.take(), 100_000);
  const memory = new BatchMemory(batchBytes(frames));
  const join = vi.spyOn(memory, 'join');
  const built = buildBatch(frames, memory);
  await encodeArrowBatch(built, memory);
  const { buffer } = built.columns[0]!.values as Float32Array;
  expect(join.mock.results[0]!.value.buffer === buffer).toBe(true);
});

test('more small records than a frame takes go on in the next one', () => {
  const encoder = new LogFrameEncoder(origin);
  for (let i = 0; i < 600; i++) encoder.append(smallRecord(i, 1, noon));
  const frames = receive(encoder.take(), 1_000);
  expect(frames.map(({ recordsBefore, recordCount }) => [recordsBefore, recordCount])).toEqual([
    [0, 256],
    [256, 256],
    [512, 88],
  ]);
  const [tensor] = buildBatch(frames, new BatchMemory(0)).columns;
  expect(plainValues(tensor!.values)).toEqual(Array.from({ length: 600 }, (_, n) => [n, -n]).flat());
});

test('records that wait when the connection is lost are counted and gone', () => {
  const encoder = new LogFrameEncoder(origin);
  encoder.append(smallRecord(1, 2, noon));
  encoder.reset();
  encoder.append(smallRecord(3, 1, noon));
  const [frame] = receive(encoder.take(), 4_000);
  expect(frame).toMatchObject({ recordsBefore: 1, rowsBefore: 2, rowCount: 1 });
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
  const [frame] = receive(encoder.take(), 64);
  expect(frame!.schema.dropped).toEqual(['in.tensor']);
  expect(frame!.schema.columns.map(({ name }) => name)).toEqual(['in.index', 'out.variable']);
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
  const [frame] = receive(encoder.take(), 4096);
  expect(() => readRecordFrame(frame!.bytes.subarray(0, -8), frame!.schema)).toThrow(FrameError);
  expect(() => readRecordFrame(frame!.bytes.subarray(0, 40), frame!.schema)).toThrow(FrameError);
  const several = new LogFrameEncoder(origin);
  several.append(smallRecord(0, 2, noon));
  several.append(smallRecord(2, 3, noon));
  const [shared] = receive(several.take(), 4096);
  shared!.bytes.writeUInt32LE(9, shared!.rowCountsAt);
  expect(() => readRecordFrame(shared!.bytes, shared!.schema)).toThrow(FrameError);
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
  expect(received.map((frame) => [frame.recordsBefore, frame.rowsBefore, frame.rowCount])).toEqual([
    [0, 0, 2],
    [2, rowCount + 2, 3],
  ]);
});
