import { zstdDecompressSync } from 'node:zlib';
import type { ArrowBatch } from './arrow-file.ts';
import { decodeLz4Frame } from './lz4-frame.ts';

/** What one request may still decompress to. */
export class DecompressionBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new RangeError('its compressed data holds more than one request may send');
  }
}

/** Hands out the nodes and buffers of a record batch in the order in which its fields own them. */
export class ArrowBatchCursor {
  readonly #batch: ArrowBatch;
  readonly #budget: DecompressionBudget;
  #node = 0;
  #buffer = 0;

  constructor(batch: ArrowBatch, budget: DecompressionBudget) {
    this.#batch = batch;
    this.#budget = budget;
  }

  node(): { length: number; nullCount: number } {
    const node = this.#batch.nodes[this.#node++];
    if (node === undefined) throw new RangeError('a batch has too few nodes');
    return node;
  }

  /** The bytes of the next buffer, decompressed; they begin at a multiple of `alignment`. */
  buffer(alignment: number): Uint8Array {
    const region = this.#batch.buffers[this.#buffer++];
    if (region === undefined) throw new RangeError('a batch has too few buffers');
    const { body, compression } = this.#batch;
    if (region.offset + region.length > body.length) throw new RangeError('a buffer is out of range');
    const stored = body.subarray(region.offset, region.offset + region.length);
    const bytes = compression === null || stored.length === 0 ? stored : this.#decompress(stored, compression);
    return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
  }

  skipBuffer(): void {
    this.#buffer += 1;
  }

  /** Compressed buffers begin with their length when decompressed, or -1 where compressing did not help. */
  #decompress(stored: Uint8Array, compression: 'lz4' | 'zstd'): Uint8Array {
    const announced = new DataView(stored.buffer, stored.byteOffset, stored.byteLength).getBigInt64(0, true);
    const content = stored.subarray(8);
    if (announced === -1n) return content;
    const length = Number(announced);
    if (length < 0) throw new RangeError('a compressed buffer has a negative length');
    this.#budget.spend(length);
    if (length === 0) return new Uint8Array(0);
    const bytes = compression === 'lz4' ? decodeLz4Frame(content, length) : decodeZstd(content, length);
    if (bytes.length !== length) throw new RangeError('a compressed buffer is not as long as it says');
    return bytes;
  }
}

function decodeZstd(content: Uint8Array, length: number): Uint8Array {
  try {
    return zstdDecompressSync(content, { maxOutputLength: length });
  } catch (error) {
    throw new RangeError('the Zstandard data is malformed', { cause: error });
  }
}
