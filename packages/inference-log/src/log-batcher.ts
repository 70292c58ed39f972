import type { RecordFrame } from './received-frames.ts';

export interface LogBatcherOptions {
  /** A group goes out when nothing was added to it for so long: a lone inference is seen soon. */
  readonly quietMs: number;
  /** Under steady traffic it goes out this long after its first record, or when it has maxBytes. */
  readonly busyMs: number;
  readonly maxBytes: number;
  /** Of all groups together: then everything goes out. */
  readonly maxTotalBytes: number;
  readonly onBatch: (frames: readonly RecordFrame[]) => void;
}

interface Group {
  readonly frames: RecordFrame[];
  readonly firstAt: number;
  lastAt: number;
  bytes: number;
}

/** Collects records that may share a batch and decides when the batch is due. */
export class LogBatcher {
  readonly #options: LogBatcherOptions;
  readonly #groups = new Map<string, Group>();
  #totalBytes = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LogBatcherOptions) {
    this.#options = options;
  }

  add(frame: RecordFrame): void {
    const { groupKey } = frame.schema;
    const now = performance.now();
    let group = this.#groups.get(groupKey);
    if (group === undefined) {
      group = { frames: [], firstAt: now, lastAt: now, bytes: 0 };
      this.#groups.set(groupKey, group);
      this.#timer ??= setTimeout(() => this.#tick(), this.#options.quietMs);
    }
    group.frames.push(frame);
    group.lastAt = now;
    group.bytes += frame.size;
    this.#totalBytes += frame.size;
    if (group.bytes >= this.#options.maxBytes) this.#release(groupKey, group);
    else if (this.#totalBytes >= this.#options.maxTotalBytes) this.flush();
  }

  /** Hands over everything at once. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [key, group] of this.#groups) this.#release(key, group);
  }

  #tick(): void {
    const { quietMs, busyMs } = this.#options;
    const now = performance.now();
    let nextDue = Number.POSITIVE_INFINITY;
    for (const [key, group] of this.#groups) {
      // A timer may fire a fraction of a millisecond early.
      const due = Math.min(group.lastAt + quietMs, group.firstAt + busyMs) - 1;
      if (due <= now) this.#release(key, group);
      else nextDue = Math.min(nextDue, due);
    }
    this.#timer = this.#groups.size === 0 ? null : setTimeout(() => this.#tick(), Math.max(1, nextDue - now));
  }

  #release(key: string, group: Group): void {
    this.#groups.delete(key);
    this.#totalBytes -= group.bytes;
    this.#options.onBatch(group.frames);
  }
}
