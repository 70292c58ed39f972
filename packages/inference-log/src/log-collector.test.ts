import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DomainError,
  type EncodedLogBatch,
  type InferenceLogSink,
  type LogDrop,
  type LogWriteKey,
} from '@pademelon/domain';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { arrowBatchDecoder } from './arrow-batch-codec.ts';
import { CountsFile, takeCounts } from './counts-file.ts';
import { FrameBuffer } from './frame-buffer.ts';
import { frameKind, spooledHeaderBytes } from './frame-layout.ts';
import { type LogCollector, type LogCollectorOptions, startLogCollector } from './log-collector.ts';
import { numberedRecord, origin } from './log-record-fixtures.ts';
import { LogSpool, spoolBytes } from './log-spool.ts';
import { LogWriter } from './log-writer.ts';

const waiting = { timeout: 5_000, interval: 5 };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A sink that can be away, and that counts each write once by its key, as the real one does. */
class MemorySink implements InferenceLogSink {
  readonly batches: EncodedLogBatch[] = [];
  readonly drops: LogDrop[] = [];
  tries = 0;
  trouble: Error | null = null;
  #last = -1;

  async writeBatch(batch: EncodedLogBatch, key: LogWriteKey): Promise<void> {
    if (this.#accept(key)) this.batches.push(batch);
  }

  async writeDrops(drops: readonly LogDrop[], key: LogWriteKey): Promise<void> {
    if (this.#accept(key)) this.drops.push(...drops);
  }

  #accept({ number }: LogWriteKey): boolean {
    this.tries++;
    if (this.trouble !== null) throw this.trouble;
    if (number <= this.#last) return false;
    this.#last = number;
    return true;
  }

  get rows(): number {
    return this.batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  droppedRows(reason: string): number {
    return this.drops.filter((drop) => drop.reason === reason).reduce((sum, { rows }) => sum + rows, 0);
  }
}

const away = new DomainError('unavailable', 'The database is away.');

async function setup(options: Partial<LogCollectorOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-log-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'log.sock');
  const sink = new MemorySink();
  const collector = await startLogCollector({ socketPath, sink, retryMs: 5, maxRetryMs: 5, quietMs: 5, ...options });
  cleanups.push(() => collector.stop(100));
  const openPod = (podId: string, maxWaitingBytes?: number): LogWriter => {
    const pod = new LogWriter({
      socketPath,
      origin: { ...origin, podId },
      reconnectMs: 5,
      ...(maxWaitingBytes === undefined ? {} : { maxWaitingBytes }),
    });
    cleanups.push(() => pod.close());
    return pod;
  };
  return { socketPath, sink, collector, openPod };
}

function dropped(collector: LogCollector, reason: 'lost' | 'overflow' | 'refused') {
  return collector.stats().dropped[reason];
}

test('a lone record is stored within the promised second with the standard settings', async () => {
  const { sink, openPod } = await setup({ quietMs: 40 });
  const pod = openPod('a');
  pod.write(numberedRecord(0, 3));
  const start = performance.now();
  pod.flush();
  await vi.waitFor(() => expect(sink.rows).toBe(3), waiting);
  expect(performance.now() - start).toBeLessThan(1_000);
});

test('records of several pods share a batch, ordered by time', async () => {
  const { sink, openPod } = await setup({ quietMs: 100 });
  const [first, second] = [openPod('a'), openPod('b')];
  first.write(numberedRecord(0, 1, 30));
  second.write(numberedRecord(1, 2, 10));
  second.write(numberedRecord(3, 1, 20));
  first.flush();
  second.flush();
  await vi.waitFor(() => expect(sink.rows).toBe(4), waiting);
  expect(sink.batches).toHaveLength(1);
  const batch = await arrowBatchDecoder.decode(sink.batches[0]!.bytes);
  expect([...batch.timesMs]).toEqual([10, 10, 20, 30]);
  expect([...(batch.columns[2]!.values as Float64Array)].map((value) => Math.round(value * 3))).toEqual([1, 2, 3, 0]);
  expect(sink.batches[0]!.sequences).toEqual({ a: [0, 0], b: [0, 1] });
  expect(Array.from(batch.pods, (pod) => batch.facts.podIds[pod])).toEqual(['b', 'b', 'b', 'a']);
});

test('nothing is lost while the database is away for less than the buffer lasts', async () => {
  const { sink, openPod } = await setup();
  sink.trouble = away;
  const pod = openPod('a');
  for (let i = 0; i < 20; i++) {
    pod.write(numberedRecord(i, 1));
    pod.flush();
    await vi.waitFor(() => expect(sink.tries).toBeGreaterThan(i), waiting);
  }
  sink.trouble = null;
  await vi.waitFor(() => expect(sink.rows).toBe(20), waiting);
  expect(sink.drops).toEqual([]);
});

test('beyond the buffer the oldest batches are dropped, and stored and dropped rows add up exactly', async () => {
  const { sink, collector, openPod } = await setup({ maxWaitingBytes: 20_000, maxBatchBytes: 4_000 });
  sink.trouble = away;
  const pod = openPod('a');
  for (let i = 0; i < 400; i++) {
    pod.write(numberedRecord(i * 3, 3));
    pod.flush();
    if (i % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
  }
  await vi.waitFor(() => expect(dropped(collector, 'overflow').rows).toBeGreaterThan(0), waiting);
  expect(collector.stats().waitingBytes).toBeLessThanOrEqual(20_000);
  sink.trouble = null;
  await vi.waitFor(() => expect(sink.rows + sink.droppedRows('overflow')).toBe(1_200), waiting);
  expect(sink.drops.reduce((sum, { records }) => sum + records, 0)).toBe(sink.droppedRows('overflow') / 3);
  const newest = await arrowBatchDecoder.decode(sink.batches.at(-1)!.bytes);
  expect(newest.timesMs.at(-1)).toBe(numberedRecord(399 * 3, 3).timeMs);
});

test('failed rows that are stored by themselves count among the bytes that wait', async () => {
  const { sink, collector, openPod } = await setup();
  sink.trouble = away;
  const pod = openPod('a');
  const checkFailures = Array.from({ length: 5_000 }, (_, row) => (row % 100 === 0 ? ['too-dear'] : []));
  pod.write({ ...numberedRecord(0, 5_000), checkFailures });
  pod.flush();
  await vi.waitFor(() => expect(sink.tries).toBeGreaterThan(0), waiting);
  const { waitingBytes } = collector.stats();
  sink.trouble = null;
  await vi.waitFor(() => expect(sink.rows).toBe(5_000), waiting);
  const { bytes, failedBytes } = sink.batches[0]!;
  expect(waitingBytes).toBe(bytes.length + failedBytes!.length);
});

test('a batch that the database refuses is given up after three tries and counted; the next one is stored', async () => {
  const { sink, collector, openPod } = await setup();
  sink.trouble = new Error('no such column');
  const pod = openPod('a');
  pod.write(numberedRecord(0, 2));
  pod.flush();
  await vi.waitFor(() => expect(dropped(collector, 'refused')).toEqual({ records: 1, rows: 2 }), waiting);
  sink.trouble = null;
  pod.write(numberedRecord(2, 5));
  pod.flush();
  await vi.waitFor(() => expect(sink.rows).toBe(5), waiting);
  await vi.waitFor(() => expect(sink.droppedRows('refused')).toBe(2), waiting);
});

test('what a pod cannot hand over is counted to the row, when the host is back and without another record', async () => {
  const { socketPath, collector, openPod } = await setup();
  const pod = openPod('a');
  pod.write(numberedRecord(0, 4));
  pod.flush();
  await vi.waitFor(() => expect(collector.stats().writtenRows).toBe(4), waiting);
  await collector.stop();
  await vi.waitFor(() => {
    pod.write(numberedRecord(4, 1));
    pod.flush();
    expect(pod.records).toBeGreaterThan(5);
  }, waiting);
  const sink = new MemorySink();
  const again = await startLogCollector({ socketPath, sink, retryMs: 5, quietMs: 5 });
  cleanups.push(() => again.stop(100));
  await vi.waitFor(() => {
    pod.write(numberedRecord(100, 1));
    pod.flush();
    expect(sink.rows).toBeGreaterThan(0);
  }, waiting);
  await pod.close();
  await again.podEnded({ podId: 'a', pipelineId: 7 }, { records: pod.records, rows: pod.rows });
  // The new host cannot know what the old one stored: those four rows count as lost for it.
  await vi.waitFor(() => expect(sink.rows + sink.droppedRows('lost')).toBe(pod.rows), waiting);
});

test('a full pod drops, goes on, and the host counts the gap', async () => {
  const { sink, collector, openPod } = await setup();
  const pod = openPod('a', 2_000);
  let rows = 0;
  for (let i = 0; i < 50; i++, rows += 2) pod.write(numberedRecord(rows, 2));
  pod.flush();
  await vi.waitFor(() => expect(dropped(collector, 'lost').rows).toBeGreaterThan(0), waiting);
  await vi.waitFor(() => expect(sink.rows + sink.droppedRows('lost')).toBe(rows), waiting);
  expect(sink.rows).toBeGreaterThan(0);
});

test('a pod that ends before it handed over what it said leaves an exact count', async () => {
  const { sink, collector, openPod } = await setup();
  const pod = openPod('a');
  pod.write(numberedRecord(0, 2));
  pod.flush();
  await pod.close();
  await collector.podEnded({ podId: 'a', pipelineId: 7 }, { records: 4, rows: 9 });
  await collector.podEnded({ podId: 'never-connected', pipelineId: 8 }, { records: 1, rows: 1 });
  await vi.waitFor(() => expect(sink.drops).toHaveLength(2), waiting);
  expect(sink.drops).toEqual([
    { pipelineId: 7, reason: 'lost', records: 3, rows: 7 },
    { pipelineId: 8, reason: 'lost', records: 1, rows: 1 },
  ]);
  await vi.waitFor(() => expect(sink.rows).toBe(2), waiting);
});

test('stopping stores what was collected', async () => {
  const { sink, collector, openPod } = await setup({ quietMs: 60_000, busyMs: 60_000 });
  const pod = openPod('a');
  pod.write(numberedRecord(0, 6));
  await pod.close();
  await vi.waitFor(() => expect(sink.batches).toHaveLength(0), waiting);
  await collector.podEnded({ podId: 'a', pipelineId: 7 }, { records: 1, rows: 6 });
  await collector.stop();
  expect(sink.rows).toBe(6);
  expect(dropped(collector, 'lost').rows).toBe(0);
});

test('stopping while the database is away ends in time and counts what is left', async () => {
  const { sink, collector, openPod } = await setup();
  sink.trouble = away;
  const pod = openPod('a');
  pod.write(numberedRecord(0, 6));
  pod.flush();
  await vi.waitFor(() => expect(sink.tries).toBeGreaterThan(0), waiting);
  await collector.stop(50);
  expect(dropped(collector, 'overflow')).toEqual({ records: 1, rows: 6 });
});

test('bytes that are no frames end their connection and nothing else', async () => {
  const onProblem = vi.fn();
  const { socketPath, sink, openPod } = await setup({ onProblem });
  const stranger = createConnection(socketPath);
  const closed = new Promise((resolve) => stranger.once('close', resolve));
  stranger.end('GET / HTTP/1.1\r\n\r\n');
  await closed;
  expect(onProblem).toHaveBeenCalledWith(expect.objectContaining({ name: 'FrameError' }), expect.any(String));
  const pod = openPod('a');
  pod.write(numberedRecord(0, 1));
  pod.flush();
  await vi.waitFor(() => expect(sink.rows).toBe(1), waiting);
});

/** Some 70 KB, of which a socket takes two or three. */
const largeRows = 3_000;

describe('large records', () => {
  const ways = {
    'shared memory': () => undefined,
    'the socket where there is no shared memory': () => void vi.spyOn(LogSpool, 'create').mockReturnValue(null),
    'the socket when the shared memory comes to its end': () => {
      let writes = 0;
      const write = LogSpool.prototype.write;
      vi.spyOn(LogSpool.prototype, 'write').mockImplementation(function (this: LogSpool, ...written) {
        if (++writes > 5) throw new Error('ENOSPC');
        return write.apply(this, written);
      });
    },
  };
  test.each(Object.entries(ways))('go through %s, whole and in their order', async (_, prepare) => {
    prepare();
    const { sink, collector, openPod } = await setup();
    const pod = openPod('a');
    pod.write(numberedRecord(0, 1));
    pod.flush();
    await vi.waitFor(() => expect(sink.rows).toBe(1), waiting);
    const count = 20;
    for (let i = 0; i < count; i++) pod.write(numberedRecord(i * largeRows, largeRows));
    pod.flush();
    await vi.waitFor(() => expect(sink.rows).toBe(1 + count * largeRows), waiting);
    expect(dropped(collector, 'lost').rows).toBe(0);
    const batches = await Promise.all(sink.batches.slice(1).map(({ bytes }) => arrowBatchDecoder.decode(bytes)));
    const numbers = batches.flatMap(({ columns }) => [...(columns[0]!.values as Float32Array)]);
    expect(numbers.filter((_, i) => i % 2 === 0)).toEqual(Array.from({ length: count * largeRows }, (_, n) => n));
  });

  test('that were handed over outlive their pod', async () => {
    const { sink, collector, openPod } = await setup();
    const pod = openPod('a');
    pod.write(numberedRecord(0, 1));
    pod.flush();
    await vi.waitFor(() => expect(sink.rows).toBe(1), waiting);
    for (let i = 0; i < 10; i++) pod.write(numberedRecord(i * largeRows, largeRows));
    await pod.close();
    await collector.podEnded({ podId: 'a', pipelineId: 7 }, { records: 11, rows: 1 + 10 * largeRows });
    await vi.waitFor(() => expect(sink.rows).toBe(1 + 10 * largeRows), waiting);
    expect(dropped(collector, 'lost').rows).toBe(0);
  });

  test('beyond what the host makes room for are dropped and counted, and later ones arrive', async () => {
    const { sink, collector, openPod } = await setup({ maxWaitingBytes: 2 * spoolBytes });
    const pod = openPod('a');
    pod.write(numberedRecord(0, 1));
    pod.flush();
    await vi.waitFor(() => expect(sink.rows).toBe(1), waiting);
    const record = numberedRecord(0, largeRows * 10);
    for (let bytes = 0; bytes < 1.5 * spoolBytes; bytes += 500_000) pod.write(record);
    pod.flush();
    await vi.waitFor(() => expect(sink.rows + sink.droppedRows('lost')).toBe(pod.rows), waiting);
    const lost = dropped(collector, 'lost').rows;
    expect(lost).toBeGreaterThan(0);
    expect(sink.rows).toBeGreaterThan(15 * record.rowCount);
    pod.write(record);
    pod.flush();
    await vi.waitFor(() => expect(sink.rows + lost).toBe(pod.rows), waiting);
  });

  test('wait in shared memory for no more than half of it, however many batches they are for', async () => {
    const { sink, collector, openPod } = await setup({ quietMs: 60_000, busyMs: 60_000 });
    const pod = openPod('a');
    const { columns, ...record } = numberedRecord(0, largeRows * 10);
    const plain = columns.filter(({ type }) => type !== 'utf8');
    const versions = Array.from({ length: 8 }, (_, i) => ({ name: 'house-price', sha: `${i}` }));
    const heldRows = (spoolBytes / 16) | 0;
    for (let i = 0; i < 10; i++) {
      for (const lastModel of versions) pod.write({ ...record, columns: plain, lastModel });
      pod.flush();
      // Each row takes 16 bytes.
      await vi.waitFor(() => expect(pod.rows - sink.rows).toBeLessThan(heldRows * 0.6), waiting);
    }
    await pod.close();
    await collector.podEnded({ podId: 'a', pipelineId: 7 }, pod);
    expect(dropped(collector, 'lost').rows).toBe(0);
    await collector.stop();
    expect(sink.rows).toBe(pod.rows);
  });

  test('that are not where a pod says end its connection', async () => {
    const onProblem = vi.fn();
    const { socketPath } = await setup({ onProblem });
    const frames = new FrameBuffer();
    frames.writeHead(frames.reserve(spooledHeaderBytes), spooledHeaderBytes, frameKind.spooled);
    const pod = createConnection(socketPath);
    const closed = new Promise((resolve) => pod.once('close', resolve));
    pod.end(frames.content());
    await closed;
    expect(onProblem).toHaveBeenCalledWith(
      expect.objectContaining({ message: 'A spooled frame came before its spool.' }),
      expect.any(String),
    );
  });
});

test('what was skipped while the host was away is counted as soon as it is back, without another record', async () => {
  const { socketPath, collector, openPod } = await setup();
  const pod = openPod('a');
  pod.write(numberedRecord(0, 4));
  pod.flush();
  await vi.waitFor(() => expect(collector.stats().writtenRows).toBe(4), waiting);
  await collector.stop();
  await vi.waitFor(() => {
    pod.write(numberedRecord(4, 1));
    pod.flush();
    expect(pod.records).toBeGreaterThan(5);
  }, waiting);
  const sink = new MemorySink();
  const again = await startLogCollector({ socketPath, sink, retryMs: 5, quietMs: 5 });
  cleanups.push(() => again.stop(100));
  await vi.waitFor(() => expect(sink.rows + sink.droppedRows('lost')).toBe(pod.rows), waiting);
});

test('what a connected pod skips is counted with its next flush, without another record', async () => {
  const { sink, collector, openPod } = await setup();
  const pod = openPod('a', 2_000);
  pod.write(numberedRecord(0, 1));
  pod.flush();
  await vi.waitFor(() => expect(sink.rows).toBe(1), waiting);
  for (let i = 0; i < 50; i++) pod.write(numberedRecord(i, 2));
  pod.flush();
  await vi.waitFor(() => expect(dropped(collector, 'lost').rows).toBeGreaterThan(0), waiting);
  await vi.waitFor(() => expect(sink.rows + sink.droppedRows('lost')).toBe(101), waiting);
});

test('what is still in the memory of a pod when it is killed is counted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-log-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'log.sock');
  const sockets: Socket[] = [];
  const stalled = createServer({ pauseOnConnect: true }, (socket) => sockets.push(socket)).listen(socketPath);
  const pod = new LogWriter({ socketPath, origin: { ...origin, podId: 'a' }, maxWaitingBytes: 400_000 });
  await vi.waitFor(() => expect(sockets).toHaveLength(1), waiting);
  expect(takeCounts(socketPath, 'a')).toBeNull();
  let rows = 0;
  // First more than the kernel takes, then more than the pod keeps.
  for (let i = 0; i < 100; i++, rows += 500) {
    pod.write(numberedRecord(rows, 500));
    pod.flush();
  }
  expect(takeCounts(socketPath, 'a')).toEqual({ records: 100, rows });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => stalled.close(resolve));
  await pod.close();
});

test('the counts that a pod noted go before those of an older sign of life', async () => {
  const { socketPath, sink, collector } = await setup();
  new CountsFile(socketPath, 'a').note({ records: 5, rows: 9 });
  await collector.podEnded({ podId: 'a', pipelineId: 7 }, { records: 1, rows: 1 });
  await vi.waitFor(() => expect(sink.droppedRows('lost')).toBe(9), waiting);
  await collector.podEnded({ podId: 'a', pipelineId: 7 }, { records: 1, rows: 1 });
  await vi.waitFor(() => expect(sink.droppedRows('lost')).toBe(10), waiting);
});

test('counts of dropped rows that the database refused are told with what follows', async () => {
  const { sink, collector, openPod } = await setup();
  sink.trouble = new Error('no such table');
  await collector.podEnded({ podId: 'b', pipelineId: 8 }, { records: 2, rows: 6 });
  await vi.waitFor(() => expect(sink.tries).toBe(3), waiting);
  sink.trouble = null;
  const pod = openPod('a');
  pod.write(numberedRecord(0, 1));
  pod.flush();
  await vi.waitFor(() => expect(sink.drops).toEqual([{ pipelineId: 8, reason: 'lost', records: 2, rows: 6 }]), waiting);
  expect(dropped(collector, 'lost')).toEqual({ records: 2, rows: 6 });
});
