import type { StoredBatch } from './inference-log-store.ts';
import { failedRows, isStrings, type LogBatch, schemaFingerprint } from './log-batch.ts';
import { LogFeed } from './log-feed.ts';
import type { LogPage, LogPageStatus, LogSelection } from './log-page.ts';
import type { LogReading } from './log-reading.ts';

/**
 * Reads one page: batch after batch, of several partitions the one with the newest (or oldest) row first, until the
 * page is full, nothing is left or the columns change. A page is a range of row numbers in each partition, and its
 * `next` is where they end, so following `next` gives every row once, whatever is written meanwhile.
 */
export async function readPage(reading: LogReading): Promise<LogPage> {
  const feeds = reading.partitions.map((partition) => new LogFeed(reading, partition));
  const page = new PageUnderWay(reading);
  for (;;) {
    const feed = await nextFeed(feeds, reading.query.order, page.missingRows);
    if (feed === null) return page.finish('All', feeds);
    const stored = feed.peeked!;
    const batch = await feed.open();
    if (batch === null) continue;
    const rows = rowsAskedFor(batch, stored, feed, reading);
    const stop = rows.length === 0 ? null : page.add(batch, rows, feed, stored);
    if (stop !== null) return page.finish(stop, feeds);
    feed.pass(stored);
  }
}

async function nextFeed(feeds: readonly LogFeed[], order: 'asc' | 'desc', rows: number): Promise<LogFeed | null> {
  let best: LogFeed | null = null;
  for (const feed of feeds) {
    const batch = await feed.peek(rows);
    if (batch === null) continue;
    if (best === null) best = feed;
    else if (order === 'asc' ? batch.firstMs < best.peeked!.firstMs : batch.lastMs > best.peeked!.lastMs) best = feed;
  }
  return best;
}

/** Indexes of the batch's rows that are asked for, in the order asked for. */
function rowsAskedFor(batch: LogBatch, stored: StoredBatch, feed: LogFeed, reading: LogReading): Int32Array {
  const { order, startMs, endMs } = reading.query;
  const candidates = reading.numbering === 'rows' ? null : failedRows(batch);
  const first = reading.numbering === 'rows' ? stored.firstRow : stored.firstFailure;
  const count = candidates?.length ?? batch.rowCount;
  const rows = new Int32Array(count);
  let length = 0;
  for (let i = Math.max(0, feed.from - first); i < Math.min(count, feed.below - first); i++) {
    const row = candidates === null ? i : candidates[i]!;
    const time = batch.timesMs[row]!;
    if ((startMs === null || time >= startMs) && (endMs === null || time <= endMs)) rows[length++] = row;
  }
  const asked = rows.subarray(0, length);
  return order === 'asc' ? asked : asked.reverse();
}

class PageUnderWay {
  readonly #reading: LogReading;
  readonly #selections: LogSelection[] = [];
  #rowCount = 0;
  #bytes = 0;
  #fingerprint: string | null = null;

  constructor(reading: LogReading) {
    this.#reading = reading;
  }

  get missingRows(): number {
    return (this.#reading.query.limit ?? Number.MAX_SAFE_INTEGER) - this.#rowCount;
  }

  /** Takes as many of the rows as fit. Returns why the page ends before the last of them, else null. */
  add(batch: LogBatch, rows: Int32Array, feed: LogFeed, stored: StoredBatch): LogPageStatus | null {
    const fingerprint = schemaFingerprint(batch);
    if (this.missingRows === 0) return 'RecordLimited';
    this.#fingerprint ??= fingerprint;
    if (this.#fingerprint !== fingerprint) return 'SchemaChange';
    const rowBytes = batchBytes(batch) / batch.rowCount;
    // At least one row: a page that cannot move on would be asked for again for ever.
    const fitting = Math.max(
      Math.floor((this.#reading.maxBytes - this.#bytes) / rowBytes),
      this.#rowCount === 0 ? 1 : 0,
    );
    const taken = rows.subarray(0, Math.min(rows.length, this.missingRows, fitting));
    if (taken.length > 0) this.#selections.push({ batch, rows: taken });
    this.#rowCount += taken.length;
    this.#bytes += taken.length * rowBytes;
    if (taken.length === rows.length) return null;
    if (taken.length > 0) feed.passUntil(stored, batch, rows[taken.length]!);
    return this.missingRows === 0 ? 'RecordLimited' : 'ByteLimited';
  }

  finish(status: LogPageStatus, feeds: readonly LogFeed[]): LogPage {
    const next = status === 'All' ? null : Object.fromEntries(feeds.map((feed) => [feed.name, feed.position]));
    return { selections: this.#selections, rowCount: this.#rowCount, status, next };
  }
}

function batchBytes(batch: LogBatch): number {
  let bytes = batch.rowCount * 16;
  for (const { values, offsets } of batch.columns) {
    bytes += isStrings(values) ? values.bytes.byteLength + values.byteOffsets.byteLength : values.byteLength;
    bytes += offsets?.byteLength ?? 0;
  }
  return bytes;
}
