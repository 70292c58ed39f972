import type { TransformOptions } from 'node:stream';
import { constants, createZstdCompress, type ZstdCompress, type ZstdOptions } from 'node:zlib';

/** For the outputs of many batches: with much less, contexts would be made often. */
const roomBytes = 8 * 1024 * 1024;

/** Nothing uses these at the moment. More than libuv has threads would not work at once. */
const idle: BatchCompressor[] = [];
const maxIdle = 4;

/**
 * One zstd frame at level 1, made on a thread of libuv's; the bytes must stay as they are until it is there. The memory
 * of the frame is its own.
 */
export async function compressBatch(bytes: Uint8Array): Promise<Uint8Array> {
  const most = compressBound(bytes.length);
  const compressor = idle.pop() ?? new BatchCompressor(most);
  if (compressor.roomBytes < most) {
    compressor.close();
    return compressBatch(bytes);
  }
  const compressed = await compressor.compress(bytes);
  if (idle.length < maxIdle) idle.push(compressor);
  else compressor.close();
  return compressed;
}

/**
 * A context of zstd for one batch after the other. A new one for each would cost as much as compressing some hundred
 * kilobytes, and a collection of garbage, which counts its megabyte, for every few dozen. With room for the most that can
 * come out zstd reads the batch where it is; otherwise it would copy it first.
 */
class BatchCompressor {
  readonly #stream: ZstdCompress;
  #roomBytes: number;

  constructor(leastRoomBytes: number) {
    this.#roomBytes = Math.max(roomBytes, leastRoomBytes);
    const options: ZstdOptions & Pick<TransformOptions, 'highWaterMark'> = {
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
      flush: constants.ZSTD_e_end,
      chunkSize: this.#roomBytes,
      // A frame is read when it is whole: nothing is to be held back until then.
      highWaterMark: 2 ** 30,
    };
    this.#stream = createZstdCompress(options);
  }

  /** For outputs. */
  get roomBytes(): number {
    return this.#roomBytes;
  }

  /** Only one at a time. After an error it is of no use any more. */
  async compress(bytes: Uint8Array): Promise<Uint8Array> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.once('error', reject);
      this.#stream.write(bytes, (error) => {
        // The listener stays for the event of the same error.
        if (error) return reject(error);
        this.#stream.off('error', reject);
        resolve();
      });
    });
    const compressed = new Uint8Array(this.#stream.read());
    this.#roomBytes -= compressed.length;
    return compressed;
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** The most that zstd makes of so many bytes: ZSTD_COMPRESSBOUND of zstd.h. */
function compressBound(bytes: number): number {
  const smallBytes = 128 * 1024;
  return bytes + (bytes >>> 8) + (bytes < smallBytes ? (smallBytes - bytes) >>> 11 : 0);
}
