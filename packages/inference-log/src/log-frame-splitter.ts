import { maxFrameBytes } from './frame-layout.ts';
import { FrameError } from './received-frames.ts';

const headBytes = 8;

/** Cuts the bytes of a connection into frames. Frames that arrive in one piece are not copied, others once. */
export class LogFrameSplitter {
  /** A frame that has begun; as long as its length is not known, room for the bytes that say it. */
  #begun: Buffer | null = null;
  #filled = 0;

  /** Bytes of an unfinished frame. */
  get waitingBytes(): number {
    return this.#filled;
  }

  /**
   * Calls back for each complete frame. True when one of them is a part of the chunk, which must stay as it is then.
   * Throws FrameError when the bytes cannot be a frame.
   */
  push(chunk: Buffer, onFrame: (kind: number, frame: Buffer) => void): boolean {
    let at = 0;
    let isKept = false;
    while (this.#begun !== null && at < chunk.length) at += this.#fill(chunk, at, onFrame);
    while (chunk.length - at >= headBytes) {
      const length = frameLength(chunk, at);
      if (chunk.length - at < length) break;
      onFrame(chunk.readUInt32LE(at + 4), chunk.subarray(at, at + length));
      at += length;
      isKept = true;
    }
    while (at < chunk.length) {
      this.#begun ??= Buffer.allocUnsafeSlow(headBytes);
      at += this.#fill(chunk, at, onFrame);
    }
    return isKept;
  }

  /** Adds what the begun frame lacks, as far as the chunk has it; returns how many bytes it took. */
  #fill(chunk: Buffer, at: number, onFrame: (kind: number, frame: Buffer) => void): number {
    const begun = this.#begun!;
    const taken = chunk.copy(begun, this.#filled, at);
    this.#filled += taken;
    if (this.#filled < begun.length) return taken;
    const length = frameLength(begun, 0);
    if (begun.length < length) {
      this.#begun = Buffer.allocUnsafeSlow(length);
      begun.copy(this.#begun);
      return taken;
    }
    this.#begun = null;
    this.#filled = 0;
    onFrame(begun.readUInt32LE(4), begun);
    return taken;
  }
}

function frameLength(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32LE(at);
  if (length < headBytes || length % 8 !== 0 || length > maxFrameBytes) {
    throw new FrameError(`A frame cannot be ${length} bytes long.`);
  }
  return length;
}
