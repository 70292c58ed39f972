import type { FileHandle } from 'node:fs/promises';
import { reject } from './model-rejection.ts';

const windowBytes = 256 * 1024;
/** A varint is at most this long. */
const varintBytes = 10;

/**
 * Reads a file front to back through a window, so that a model of 2 GB costs no more memory than a small one. The
 * methods that read values are synchronous: `ensure` as many bytes as they need first.
 */
export class FileWindow {
  readonly size: number;
  readonly #file: FileHandle;
  readonly #bytes = Buffer.allocUnsafe(windowBytes);
  /** Where in the file the window begins, and how many bytes of it are filled. */
  #start = 0;
  #length = 0;
  #offset = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** Where the next byte comes from. */
  get position(): number {
    return this.#start + this.#offset;
  }

  /** Whether the next `count` bytes, or all that the file still has, can be read at once. */
  has(count: number): boolean {
    return this.#offset + count <= this.#length || this.#start + this.#length >= this.size;
  }

  /** Makes `has(count)` true; `count` is at most the size of the window. */
  async ensure(count: number): Promise<void> {
    if (this.has(count)) return;
    this.#start = this.position;
    this.#offset = 0;
    this.#length = 0;
    while (this.#length < windowBytes) {
      const { bytesRead } = await this.#file.read(
        this.#bytes,
        this.#length,
        windowBytes - this.#length,
        this.#start + this.#length,
      );
      if (bytesRead === 0) break;
      this.#length += bytesRead;
    }
  }

  /** Passes over bytes, which need not be in the window. */
  skip(count: number): void {
    if (this.position + count > this.size) truncated();
    this.#offset += count;
    if (this.#offset <= this.#length) return;
    this.#start += this.#offset;
    this.#offset = 0;
    this.#length = 0;
  }

  /** A 64-bit varint as a signed number; beyond 2^53 it is rounded, which is more than anything here may be. */
  varint(): number {
    let low = 0;
    let high = 0;
    for (let index = 0; index < varintBytes; index++) {
      if (this.#offset >= this.#length) truncated();
      const byte = this.#bytes[this.#offset++] as number;
      const bits = byte & 127;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 128) return high * 0x1_0000_0000 + (low >>> 0);
    }
    return reject(`The file is not an ONNX model, or it is damaged: byte ${this.position} belongs to no number.`);
  }

  text(length: number): string {
    const end = this.#offset + length;
    if (end > this.#length) truncated();
    const text = this.#bytes.toString('utf8', this.#offset, end);
    this.#offset = end;
    return text;
  }
}

function truncated(): never {
  return reject('The file ends in the middle of a field: it is truncated, or it is not an ONNX model.');
}
