import { DomainError, type EncodedLogBatch, type InferenceLogSink, type LogDrop } from '@pademelon/domain';
import { SpareBatchMemory } from './batch-memory.ts';
import type { DropCounts } from './drop-counts.ts';
import { encodeFrames } from './encode-frames.ts';
import type { LogCounts } from './pod-ledger.ts';
import type { RecordFrame } from './received-frames.ts';

export interface LogShipperOptions {
  readonly sink: InferenceLogSink;
  readonly writerId: string;
  readonly drops: DropCounts;
  /** Bytes of batches, encoded or not, that may wait; beyond it the oldest are dropped and counted. */
  readonly maxWaitingBytes: number;
  /** Pause after a failed write; doubles up to maxRetryMs. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  readonly onProblem: (error: unknown, what: string) => void;
}

interface Parcel {
  readonly pipelineId: number;
  readonly counts: LogCounts;
  readonly batch: Promise<EncodedLogBatch>;
  /** Of its frames; once it is encoded, which makes it much smaller, of the batch. */
  bytes: number;
}

/** How often a batch that the database refuses, rather than not answers, is tried. */
const maxRefusals = 3;

/**
 * Writes batches one after another, oldest first, each until it is written. While the database is away batches wait;
 * when too many wait the oldest are dropped and counted, except the one being written, whose outcome is not known yet.
 * Every write has a number that the sink counts once, so a write may be tried again after a lost answer.
 */
export class LogShipper {
  readonly #options: LogShipperOptions;
  readonly #waiting: Parcel[] = [];
  readonly #spareMemory = new SpareBatchMemory();
  #waitingBytes = 0;
  #writes = 0;
  #writtenRows = 0;
  #isRunning = false;
  #deadline = Number.POSITIVE_INFINITY;
  #wake: (() => void) | null = null;
  #idle: (() => void)[] = [];

  constructor(options: LogShipperOptions) {
    this.#options = options;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get waitingBatches(): number {
    return this.#waiting.length;
  }

  get writtenRows(): number {
    return this.#writtenRows;
  }

  /** Uses the frames up at once. */
  add(frames: readonly RecordFrame[]): void {
    const { pipelineId } = frames[0]!.schema;
    let records = 0;
    let rows = 0;
    let bytes = 0;
    for (const frame of frames) {
      records += frame.recordCount;
      rows += frame.rowCount;
      bytes += frame.size;
    }
    const batch = encodeFrames(frames, this.#spareMemory);
    const parcel: Parcel = { pipelineId, counts: { records, rows }, batch, bytes };
    this.#waiting.push(parcel);
    this.#waitingBytes += bytes;
    // A failure is seen by the write, which awaits the same promise.
    batch.then((encoded) => this.#resize(parcel, storedBytes(encoded))).catch(() => undefined);
    this.#dropExcess();
    this.tellDrops();
  }

  /** Sees to it that counts of dropped rows reach the database, also when no batch follows. */
  tellDrops(): void {
    if (!this.#isRunning) void this.#run();
  }

  /** Resolves when nothing waits any more or the time is over; what then still waits is dropped and counted. */
  async stop(timeoutMs: number): Promise<void> {
    this.#deadline = performance.now() + timeoutMs;
    this.#wake?.();
    if (this.#isRunning) await new Promise<void>((resolve) => this.#idle.push(resolve));
    for (const parcel of this.#waiting.splice(0)) this.#countDropped(parcel);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { drops, sink, writerId } = this.#options;
    while (performance.now() < this.#deadline) {
      const parcel = this.#waiting[0];
      if (parcel !== undefined) {
        await this.#ship(parcel);
      } else if (drops.hasUntold) {
        const untold = drops.takeUntold();
        const number = ++this.#writes;
        const isTold = await this.#persist('the counts of dropped rows', () =>
          sink.writeDrops(untold, { writerId, number }),
        );
        if (isTold === 'done') continue;
        this.#giveBack(untold);
        break;
      } else {
        break;
      }
    }
    this.#isRunning = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Told with the next batch or count; those of a process that ends stand in its log alone. */
  #giveBack(untold: readonly LogDrop[]): void {
    const rows = untold.reduce((sum, drop) => sum + drop.rows, 0);
    this.#options.drops.giveBack(untold);
    this.#options.onProblem(new Error(`${rows} dropped rows`), 'the counts of dropped rows could not be stored');
  }

  async #ship(parcel: Parcel): Promise<void> {
    const { sink, writerId, onProblem } = this.#options;
    const number = ++this.#writes;
    let outcome: WriteOutcome = 'refused';
    try {
      const batch = await parcel.batch;
      outcome = await this.#persist('a batch', () => sink.writeBatch(batch, { writerId, number }));
    } catch (error) {
      onProblem(error, 'a batch could not be encoded');
    }
    if (outcome === 'late') return;
    this.#waiting.splice(this.#waiting.indexOf(parcel), 1);
    this.#waitingBytes -= parcel.bytes;
    if (outcome === 'done') this.#writtenRows += parcel.counts.rows;
    else this.#options.drops.add(parcel.pipelineId, 'refused', parcel.counts);
  }

  /** Tries until the write is done, refused for good, or the deadline of `stop` has passed. */
  async #persist(what: string, write: () => Promise<void>): Promise<WriteOutcome> {
    const { retryMs, maxRetryMs, onProblem } = this.#options;
    let refusals = 0;
    for (let pauseMs = retryMs; ; pauseMs = Math.min(pauseMs * 2, maxRetryMs)) {
      try {
        await write();
        return 'done';
      } catch (error) {
        const isAway = error instanceof DomainError && error.word === 'unavailable';
        onProblem(error, isAway ? `${what} waits for the database` : `${what} was refused by the database`);
        if (!isAway && ++refusals >= maxRefusals) return 'refused';
      }
      await this.#pause(pauseMs);
      if (performance.now() >= this.#deadline) return 'late';
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, Math.min(ms, this.#deadline - performance.now())));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  #resize(parcel: Parcel, bytes: number): void {
    if (this.#waiting.includes(parcel)) this.#waitingBytes += bytes - parcel.bytes;
    parcel.bytes = bytes;
  }

  #dropExcess(): void {
    while (this.#waitingBytes > this.#options.maxWaitingBytes && this.#waiting.length > 1) {
      const [parcel] = this.#waiting.splice(1, 1);
      this.#waitingBytes -= parcel!.bytes;
      this.#countDropped(parcel!);
    }
  }

  #countDropped(parcel: Parcel): void {
    this.#options.drops.add(parcel.pipelineId, 'overflow', parcel.counts);
  }
}

type WriteOutcome = 'done' | 'refused' | 'late';

function storedBytes({ bytes, failedBytes }: EncodedLogBatch): number {
  return bytes.length + (failedBytes?.length ?? 0);
}
