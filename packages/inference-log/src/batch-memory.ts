import { numberArrays } from '@pademelon/contracts';
import { padTo8 } from './frame-layout.ts';

/** For what an Arrow stream says before its columns: some hundred bytes for each of them. */
const headRoom = 64 * 1024;
/** For the end of the stream. */
const endRoom = 8;
/** More is let go: it was an unusual batch. */
const maxSpareBytes = 16 * 1024 * 1024;

type NumberType = keyof typeof numberArrays;

/**
 * Memory for the columns of a batch, in which they lie as an Arrow stream has them: in its order, each padded to 8 bytes.
 * The stream then comes about where they are, by what it has before and after them.
 */
export class BatchMemory {
  readonly #bytes: Buffer;
  #end = headRoom;

  constructor(columnBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(headRoom + columnBytes + endRoom);
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** Room for values that will all be written, since others are still there. What finds no room has its own memory. */
  take<T extends NumberType>(type: T, count: number): InstanceType<(typeof numberArrays)[T]> {
    const ofType = numberArrays[type];
    const byteLength = count * ofType.BYTES_PER_ELEMENT;
    const at = this.#end;
    const end = padTo8(at + byteLength);
    const isRoom = end <= this.#bytes.length - endRoom;
    if (isRoom) this.#end = end;
    const { buffer } = isRoom ? this.#bytes : Buffer.allocUnsafeSlow(byteLength);
    return new ofType(buffer as ArrayBuffer, isRoom ? at : 0, count) as InstanceType<(typeof numberArrays)[T]>;
  }

  /** The pieces one after the other. Those that lie in this memory as they have to are not copied. */
  join(pieces: readonly Uint8Array[]): Uint8Array {
    const start = this.#startOf(pieces);
    if (start === null) return Buffer.concat(pieces);
    let at = start;
    for (const piece of pieces) {
      if (!this.#holds(piece)) this.#bytes.set(piece, at);
      at += piece.length;
    }
    return this.#bytes.subarray(start, at);
  }

  /** Where the first piece has to stand so that those that are here already stand right; null when they cannot. */
  #startOf(pieces: readonly Uint8Array[]): number | null {
    let start: number | null = null;
    let before = 0;
    for (const piece of pieces) {
      if (this.#holds(piece)) {
        start ??= piece.byteOffset - before;
        if (start < 0 || start + before !== piece.byteOffset) return null;
      }
      before += piece.length;
    }
    return start !== null && start + before <= this.#bytes.length ? start : null;
  }

  #holds({ buffer, byteLength }: Uint8Array): boolean {
    return byteLength > 0 && buffer === this.#bytes.buffer;
  }

  /** Forgets what was taken, for the next batch. */
  clear(): void {
    this.#end = headRoom;
  }
}

/** Keeps the memory of a batch for the next one: fresh megabytes are pages that the kernel clears first. */
export class SpareBatchMemory {
  #spare: BatchMemory | null = null;

  /** Give it back after use. */
  take(columnBytes: number): BatchMemory {
    const spare = this.#spare;
    if (spare === null || spare.size < headRoom + columnBytes + endRoom) return new BatchMemory(columnBytes);
    this.#spare = null;
    return spare;
  }

  giveBack(memory: BatchMemory): void {
    memory.clear();
    if (memory.size > (this.#spare?.size ?? 0) && memory.size <= maxSpareBytes) this.#spare = memory;
  }
}
