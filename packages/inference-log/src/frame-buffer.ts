import { endianness } from 'node:os';
import { padTo8 } from './frame-layout.ts';

if (endianness() !== 'LE') throw new Error('The inference log needs a little-endian machine.');

const initialBytes = 256 * 1024;

/** Bytes that grow; every position handed out is a multiple of 8, so that values are set through typed views. */
export class FrameBuffer {
  length = 0;
  #bytes: Buffer;
  #float64: Float64Array;
  #uint32: Uint32Array;
  #float32: Float32Array;

  constructor(bytes: Buffer = Buffer.from(new ArrayBuffer(initialBytes))) {
    this.#bytes = bytes;
    this.#float64 = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 3);
    this.#uint32 = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    this.#float32 = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  }

  /** A buffer that writes over the whole memory of which `frames` is the beginning. */
  static over(frames: Buffer): FrameBuffer {
    return new FrameBuffer(Buffer.from(frames.buffer as ArrayBuffer));
  }

  content(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** Makes room for so many bytes at the end, a multiple of 8, and returns where they start. */
  reserve(bytes: number): number {
    const at = this.length;
    const needed = at + bytes;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.length = needed;
    return at;
  }

  writeHead(at: number, length: number, kind: number): void {
    const word = at >> 2;
    this.#uint32[word] = length;
    this.#uint32[word + 1] = kind;
  }

  writeUint32(at: number, value: number): void {
    this.#uint32[at >> 2] = value;
  }

  writeFloat64(at: number, value: number): void {
    this.#float64[at >> 3] = value;
  }

  /** Writes bytes that were reserved before, and zeros up to the next multiple of 8. */
  writeBytes(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
    const end = at + bytes.length;
    this.#bytes.fill(0, end, padTo8(end));
  }

  appendArray(values: NodeJS.TypedArray): void {
    const { byteLength } = values;
    if (byteLength === 0) return;
    const at = this.reserve(padTo8(byteLength));
    // The commonest type by far goes without a view of its bytes.
    if (values instanceof Float32Array) {
      const word = at >> 2;
      this.#float32.set(values, word);
      if ((values.length & 1) === 1) this.#uint32[word + values.length] = 0;
    } else {
      this.writeBytes(at, new Uint8Array(values.buffer, values.byteOffset, byteLength));
    }
  }

  /** Appends the byte offsets (values + 1, i32) and then the UTF-8 bytes. */
  appendStrings(values: readonly string[]): void {
    const offsetsAt = this.reserve(padTo8((values.length + 1) * 4));
    let bytes = 0;
    for (const text of values) bytes += text.length * 3;
    const start = this.reserve(padTo8(bytes));
    let at = start;
    this.#uint32[offsetsAt >> 2] = 0;
    for (let i = 0; i < values.length; i++) {
      at += this.#bytes.write(values[i]!, at, 'utf8');
      this.#uint32[(offsetsAt >> 2) + i + 1] = at - start;
    }
    if (values.length % 2 === 0) this.#uint32[(offsetsAt >> 2) + values.length + 1] = 0;
    this.length = padTo8(at);
    this.#bytes.fill(0, at, this.length);
  }

  #grow(needed: number): void {
    let size = this.#bytes.length * 2;
    while (size < needed) size *= 2;
    const grown = Buffer.from(new ArrayBuffer(size));
    grown.set(this.content());
    const { length } = this;
    const replaced = new FrameBuffer(grown);
    this.#bytes = replaced.#bytes;
    this.#float64 = replaced.#float64;
    this.#uint32 = replaced.#uint32;
    this.#float32 = replaced.#float32;
    this.length = length;
  }
}
