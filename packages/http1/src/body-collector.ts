import { releaseMemory } from '@pademelon/runtime/release-memory';
import { ChunkScanner } from './chunk-scanner.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RequestHead } from './request-head.ts';

const nothing: Buffer = Buffer.alloc(0);
/** What a body gets at once, if it announces as much: growing from less would copy it twice. */
const firstCapacity = 256 * 1024;

/**
 * Decodes a request's body into one buffer of at most `limitBytes`. Beyond a first quarter of a megabyte memory grows
 * with what arrived, never with what was announced.
 */
export class BodyCollector {
  readonly #chunks = new ChunkScanner();
  #isChunked = false;
  #announced = 0;
  #limit = 0;
  #buffer: Buffer = nothing;
  #length = 0;
  #isDone = false;
  /** What was taken last: it may still be looked at. */
  #taken: Buffer = nothing;

  /** Throws ProtocolError 413 when the head announces more than `limitBytes`. */
  begin(head: RequestHead, limitBytes: number): void {
    this.#isChunked = head.isChunked;
    this.#announced = Math.max(0, head.contentLength);
    this.#limit = limitBytes;
    this.#buffer = nothing;
    this.#length = 0;
    this.#taken = nothing;
    this.#isDone = !head.isChunked && this.#announced === 0;
    if (this.#isChunked) this.#chunks.reset();
    if (this.#announced > limitBytes) throw tooLarge(limitBytes);
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Takes bytes[at..end); returns the position of the first byte that is not the body's, or `end`. */
  pass(bytes: Buffer, at: number, end: number): number {
    return this.#isChunked ? this.#passChunks(bytes, at, end) : this.#passLength(bytes, at, end);
  }

  /** The whole body; empty before `isDone`. A body that came in one piece is a view of that piece. */
  take(): Buffer {
    const body = this.#isDone ? this.#buffer.subarray(0, this.#length) : nothing;
    this.#buffer = nothing;
    this.#length = 0;
    this.#taken = body;
    return body;
  }

  /** Whether the body, taken or not, is a view of these bytes. */
  isViewOf(bytes: Buffer): boolean {
    return this.#buffer.buffer === bytes.buffer || this.#taken.buffer === bytes.buffer;
  }

  #passLength(bytes: Buffer, at: number, end: number): number {
    const run = Math.min(this.#announced - this.#length, end - at);
    if (this.#length === 0 && run === this.#announced) {
      this.#buffer = bytes.subarray(at, at + run);
      this.#length = run;
    } else {
      this.#append(bytes, at, at + run, this.#announced);
    }
    this.#isDone = this.#length === this.#announced;
    return at + run;
  }

  #passChunks(bytes: Buffer, at: number, end: number): number {
    let i = at;
    while (i < end && !this.#chunks.isDone) {
      i = this.#chunks.step(bytes, i, end);
      const { dataStart, dataEnd } = this.#chunks;
      if (dataEnd > dataStart) this.#append(bytes, dataStart, dataEnd, this.#limit);
    }
    this.#isDone = this.#chunks.isDone;
    return i;
  }

  #append(bytes: Buffer, start: number, end: number, most: number): void {
    const length = this.#length + end - start;
    if (length > this.#limit) throw tooLarge(this.#limit);
    if (length > this.#buffer.length) {
      const capacity = Math.min(most, Math.max(length, 2 * this.#buffer.length, firstCapacity));
      const grown = Buffer.allocUnsafeSlow(capacity);
      this.#buffer.copy(grown, 0, 0, this.#length);
      releaseMemory(this.#buffer);
      this.#buffer = grown;
    }
    bytes.copy(this.#buffer, this.#length, start, end);
    this.#length = length;
  }
}

function tooLarge(limitBytes: number): ProtocolError {
  return new ProtocolError(413, `The body may have at most ${limitBytes} bytes.`);
}
