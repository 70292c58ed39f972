import type { StoredBatch } from './inference-log-store.ts';
import type { LogBatch } from './log-batch.ts';
import type { LogReading } from './log-reading.ts';

/** Compressed bytes that are fetched at once at most, unless one batch alone is larger. */
const fetchBytes = 8 * 1024 * 1024;
const maxListed = 512;

/**
 * The batches of one partition in the order of the page, looked up a few at a time: as many as hold the rows that are
 * missing. The numbers still to be read are `from` (inclusive) to `below` (exclusive).
 */
export class LogFeed {
  readonly name: string;
  from = 0;
  below = Number.MAX_SAFE_INTEGER;
  readonly #reading: LogReading;
  readonly #pipelineId: number;
  #listed: StoredBatch[] = [];
  #contents = new Map<StoredBatch, Uint8Array | null>();
  #isExhausted = false;

  constructor(reading: LogReading, partition: { name: string; pipelineId: number }) {
    this.name = partition.name;
    this.#reading = reading;
    this.#pipelineId = partition.pipelineId;
    const position = reading.query.iterator[partition.name];
    if (position === undefined) return;
    if (reading.query.order === 'asc') this.from = position;
    else this.below = position;
  }

  /** The number to continue at, as an iterator has it. */
  get position(): number {
    return this.#reading.query.order === 'asc' ? this.from : this.below;
  }

  get peeked(): StoredBatch | undefined {
    return this.#listed[0];
  }

  /** The next batch that may hold rows asked for; null when there is none. `rows`: how many the page still misses. */
  async peek(rows: number): Promise<StoredBatch | null> {
    if (this.#listed.length === 0 && !this.#isExhausted) {
      const { order, startMs, endMs } = this.#reading.query;
      // One row a batch at worst, and one batch more to know whether anything is left.
      const limit = Math.min(rows + 1, maxListed);
      const { numbering, modelName } = this.#reading;
      this.#listed = await this.#reading.store.listBatches({
        pipelineId: this.#pipelineId,
        numbering,
        order,
        from: this.from,
        below: this.below,
        startMs,
        endMs,
        modelName,
        limit,
      });
      this.#isExhausted = this.#listed.length < limit;
    }
    return this.#listed[0] ?? null;
  }

  /**
   * Reads the peeked batch, of failures maybe its failed rows alone; null, and passed, when retention has dropped it
   * meanwhile.
   */
  async open(): Promise<LogBatch | null> {
    const batch = this.#listed[0]!;
    if (!this.#contents.has(batch)) await this.#fetch();
    const bytes = this.#contents.get(batch) ?? null;
    if (bytes !== null) return this.#reading.decoder.decode(bytes);
    this.pass(batch);
    return null;
  }

  /** Moves behind a batch all of whose rows were taken or not asked for. */
  pass(batch: StoredBatch): void {
    const { numbering, query } = this.#reading;
    const first = numbering === 'rows' ? batch.firstRow : batch.firstFailure;
    const count = numbering === 'rows' ? batch.rowCount : batch.failureCount;
    if (query.order === 'asc') this.from = Math.max(this.from, first + count);
    else this.below = Math.min(this.below, first);
    this.#listed.shift();
    this.#contents.delete(batch);
  }

  /** Moves up to a row of the batch, which is the first of the next page. */
  passUntil(stored: StoredBatch, batch: LogBatch, row: number): void {
    const number = this.#numberOf(stored, batch, row);
    if (this.#reading.query.order === 'asc') this.from = number;
    else this.below = number + 1;
  }

  #numberOf(stored: StoredBatch, batch: LogBatch, row: number): number {
    if (this.#reading.numbering === 'rows') return stored.firstRow + row;
    const offsets = batch.failures!.offsets;
    let before = 0;
    for (let i = 0; i < row; i++) if (offsets[i + 1]! > offsets[i]!) before++;
    return stored.firstFailure + before;
  }

  /** Fetches the next batches together, few enough that their bytes stay bounded. */
  async #fetch(): Promise<void> {
    const wanted: StoredBatch[] = [];
    let bytes = 0;
    let rows = 0;
    for (const batch of this.#listed) {
      bytes += batch.sizeBytes;
      if (wanted.length > 0 && (bytes > fetchBytes || rows > (this.#reading.query.limit ?? Number.MAX_SAFE_INTEGER)))
        break;
      wanted.push(batch);
      rows += this.#reading.numbering === 'rows' ? batch.rowCount : batch.failureCount;
    }
    const contents = await this.#reading.store.readBatches(wanted, this.#reading.numbering);
    wanted.forEach((batch, i) => {
      this.#contents.set(batch, contents[i] ?? null);
    });
  }
}
