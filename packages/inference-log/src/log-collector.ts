import { randomUUID } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { InferenceLogSink, LogDropReason } from '@pademelon/domain';
import { releaseMemory } from '@pademelon/runtime/release-memory';
import { takeCounts } from './counts-file.ts';
import { DropCounts } from './drop-counts.ts';
import { frameKind, spooledHeaderBytes } from './frame-layout.ts';
import { LogBatcher } from './log-batcher.ts';
import { LogFrameSplitter } from './log-frame-splitter.ts';
import { LogShipper } from './log-shipper.ts';
import { LogSpoolReader, removeDeadSpools, spoolBytes } from './log-spool.ts';
import { type LogCounts, PodLedger } from './pod-ledger.ts';
import {
  FrameError,
  type ReceivedSchema,
  type RecordFrame,
  readHelloFrame,
  readOwedFrame,
  readRecordFrame,
  readSchemaFrame,
  readTextFrame,
  releaseFrame,
} from './received-frames.ts';

export interface LogCollectorOptions {
  /** Unix socket to listen on; an old one is replaced. Its folder must be the host's alone. */
  readonly socketPath: string;
  readonly sink: InferenceLogSink;
  /** Told of every problem; expect one a try while the database is away. */
  readonly onProblem?: (error: unknown, what: string) => void;
  readonly quietMs?: number;
  readonly busyMs?: number;
  readonly maxBatchBytes?: number;
  /** Bytes of records and batches that may wait for the database. */
  readonly maxWaitingBytes?: number;
  readonly retryMs?: number;
  readonly maxRetryMs?: number;
}

export interface LogCollectorStats {
  readonly writtenRows: number;
  readonly dropped: Readonly<Record<LogDropReason, LogCounts>>;
  readonly waitingBytes: number;
  readonly waitingBatches: number;
}

export interface LogCollector {
  /**
   * To be called when a pod's process has ended, with the last counts of its `alive` messages: what it said but never
   * handed over counts as lost. Resolves once everything that was still in the socket has been read.
   */
  podEnded(pod: { podId: string; pipelineId: number }, counts: LogCounts): Promise<void>;
  stats(): LogCollectorStats;
  /** Writes what it has, for at most so long; the rest counts as dropped. */
  stop(timeoutMs?: number): Promise<void>;
}

/** The host's end of the inference log: reads the frames of its pods, makes batches of them and has them stored. */
export async function startLogCollector(options: LogCollectorOptions): Promise<LogCollector> {
  const onProblem = options.onProblem ?? (() => undefined);
  const drops = new DropCounts();
  const shipper = new LogShipper({
    sink: options.sink,
    writerId: randomUUID(),
    drops,
    maxWaitingBytes: options.maxWaitingBytes ?? 64 * 1024 * 1024,
    retryMs: options.retryMs ?? 100,
    maxRetryMs: options.maxRetryMs ?? 1_000,
    onProblem,
  });
  const batcher = new LogBatcher({
    quietMs: options.quietMs ?? 40,
    busyMs: options.busyMs ?? 250,
    maxBytes: options.maxBatchBytes ?? 4 * 1024 * 1024,
    // What waits for its batch waits in the spool of its pod, half of which stays free.
    maxTotalBytes: spoolBytes / 2,
    onBatch: (frames) => shipper.add(frames),
  });
  const ledger = new PodLedger((pipelineId, gap) => {
    drops.add(pipelineId, 'lost', gap);
    shipper.tellDrops();
  });
  const connections = new PodConnections({ batcher, ledger, onProblem });
  removeDeadSpools();
  const server = await listen(options.socketPath, (socket) => connections.add(socket));
  return {
    podEnded: async ({ podId, pipelineId }, counts) => {
      await connections.ended(podId);
      const noted = takeCounts(options.socketPath, podId);
      ledger.close(podId, pipelineId, noted !== null && noted.records > counts.records ? noted : counts);
    },
    stats: () => ({
      writtenRows: shipper.writtenRows,
      dropped: { lost: drops.total('lost'), overflow: drops.total('overflow'), refused: drops.total('refused') },
      waitingBytes: shipper.waitingBytes,
      waitingBatches: shipper.waitingBatches,
    }),
    stop: async (timeoutMs = 5_000) => {
      connections.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      batcher.flush();
      await shipper.stop(timeoutMs);
    },
  };
}

async function listen(socketPath: string, onConnection: (socket: Socket) => void): Promise<Server> {
  rmSync(socketPath, { force: true });
  // With a mark of one byte a paused socket reads one chunk more at most.
  const server = createServer({ highWaterMark: 1 }, onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o600);
  return server;
}

/** A record whose columns are in the spool. Plain ones stay there until they become a part of their batch. */
function readSpooledFrame(frame: Buffer, schema: ReceivedSchema, spool: LogSpoolReader): RecordFrame {
  const held = spool.hold(frame.readDoubleLE(8), frame.readUInt32LE(16));
  let isKept = false;
  try {
    const columns = schema.isPlain ? held : held.read();
    const records = readRecordFrame(frame.subarray(spooledHeaderBytes), schema, columns);
    isKept = columns === held;
    return records;
  } finally {
    if (!isKept) held.letGo();
  }
}

interface ConnectionParts {
  readonly batcher: LogBatcher;
  readonly ledger: PodLedger;
  readonly onProblem: (error: unknown, what: string) => void;
}

/** Whose it is, by its first frame. */
interface Connection {
  pod: ReturnType<typeof readHelloFrame> | null;
  spool: LogSpoolReader | null;
}

/** A longer read did not empty the socket. */
const longestReadBytes = 65_536;
/**
 * A connection that was read empty rests this long: pods write for every few requests, and being woken by each of their
 * writes would cost them and us more than all the rest. The kernel keeps the bytes meanwhile, of which it takes no more
 * than some 200 KB: a connection that brought `restBytes` since it was empty last has no rest.
 */
const restMs = 8;
const restBytes = 48 * 1024;

class PodConnections {
  readonly #parts: ConnectionParts;
  readonly #resting = new Set<Socket>();
  #restTimer: NodeJS.Timeout | null = null;
  readonly #open = new Map<Socket, Connection>();

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  add(socket: Socket): void {
    const { batcher, ledger, onProblem } = this.#parts;
    const connection: Connection = { pod: null, spool: null };
    const splitter = new LogFrameSplitter();
    const schemas: ReceivedSchema[] = [];
    this.#open.set(socket, connection);
    const schemaOf = (number: number): ReceivedSchema => {
      const schema = schemas[number];
      if (schema === undefined) throw new FrameError('A record names a schema that was not sent.');
      return schema;
    };
    const receive = (records: RecordFrame): void => {
      if (ledger.receive(records)) batcher.add(records);
      else releaseFrame(records);
    };
    const onFrame = (kind: number, frame: Buffer): void => {
      if (kind === frameKind.record) {
        receive(readRecordFrame(frame, schemaOf(frame.readUInt32LE(8))));
      } else if (kind === frameKind.spooled) {
        if (connection.spool === null) throw new FrameError('A spooled frame came before its spool.');
        const schema = schemaOf(frame.readUInt32LE(spooledHeaderBytes + 8));
        receive(readSpooledFrame(frame, schema, connection.spool));
      } else if (kind === frameKind.schema) {
        const { id, schema } = readSchemaFrame(frame);
        schemas[id] = schema;
      } else if (kind === frameKind.tally) {
        if (connection.pod === null) throw new FrameError('A tally came before the hello.');
        const { podId, pipelineId } = connection.pod;
        ledger.settle(podId, pipelineId, { records: frame.readDoubleLE(8), rows: frame.readDoubleLE(16) });
      } else if (kind === frameKind.hello) {
        connection.pod = readHelloFrame(frame);
      } else if (kind === frameKind.owed) {
        const { podId, pipelineId, records, rows } = readOwedFrame(frame);
        ledger.owe(podId, pipelineId, { records, rows });
      } else if (kind === frameKind.spool) {
        connection.spool?.close();
        connection.spool = null;
        connection.spool = new LogSpoolReader(readTextFrame(frame));
      } else {
        throw new FrameError(`There is no frame of kind ${kind}.`);
      }
    };
    let sinceEmptyBytes = 0;
    socket.on('data', (chunk) => {
      try {
        sinceEmptyBytes += chunk.length;
        if (chunk.length < longestReadBytes) {
          if (sinceEmptyBytes < restBytes) this.#rest(socket);
          sinceEmptyBytes = 0;
        }
        if (!splitter.push(chunk as Buffer, onFrame)) releaseMemory(chunk as Buffer);
      } catch (error) {
        onProblem(error, 'a pod sent what is not a log frame; its connection is closed');
        socket.destroy();
      }
    });
    socket.on('error', (error) => onProblem(error, 'the connection of a pod broke'));
    socket.on('close', () => {
      this.#open.delete(socket);
      connection.spool?.close();
    });
  }

  #rest(socket: Socket): void {
    socket.pause();
    this.#resting.add(socket);
    this.#restTimer ??= setTimeout(() => {
      this.#restTimer = null;
      const rested = [...this.#resting];
      this.#resting.clear();
      for (const other of rested) other.resume();
    }, restMs);
  }

  /** Resolves when no connection of the pod is open any more. */
  async ended(podId: string): Promise<void> {
    const ofPod = [...this.#open].filter(([, { pod }]) => pod?.podId === podId);
    await Promise.all(ofPod.map(([socket]) => new Promise<void>((resolve) => socket.once('close', () => resolve()))));
  }

  /** Reads nothing more: the pods have been stopped before, or write to a host that ends. */
  close(): void {
    if (this.#restTimer !== null) clearTimeout(this.#restTimer);
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
