import { CR, LF } from './octets.ts';
import { ProtocolError } from './protocol-error.ts';

type State = 'size' | 'size-end' | 'data' | 'data-cr' | 'data-lf' | 'last-cr' | 'last-lf' | 'done';

/** Eight hexadecimal digits: a chunk of up to 4 GB. */
const maxSizeDigits = 8;

/**
 * Follows the chunked coding byte by byte. Chunk extensions and trailers are refused: nobody who calls us needs them,
 * and proxies disagree about them.
 */
export class ChunkScanner {
  #state: State = 'size';
  #digits = 0;
  #left = 0;
  /** The run of body data that the last `step` passed over; equal when it passed over framing only. */
  dataStart = 0;
  dataEnd = 0;

  get isDone(): boolean {
    return this.#state === 'done';
  }

  reset(): void {
    this.#state = 'size';
    this.#digits = 0;
    this.#left = 0;
  }

  /**
   * Passes over the framing at bytes[at..end) and at most one run of data behind it; returns where it stopped. Call
   * again until the result is `end` or `isDone`.
   */
  step(bytes: Uint8Array, at: number, end: number): number {
    this.dataStart = this.dataEnd = at;
    let i = at;
    while (i < end && this.#state !== 'done') {
      if (this.#state === 'data') {
        const run = Math.min(this.#left, end - i);
        this.dataStart = i;
        this.dataEnd = i + run;
        this.#left -= run;
        if (this.#left === 0) this.#state = 'data-cr';
        return i + run;
      }
      this.#frame(bytes[i++]!);
    }
    return i;
  }

  #frame(byte: number): void {
    switch (this.#state) {
      case 'size': {
        if (byte === CR && this.#digits > 0) {
          this.#state = 'size-end';
          return;
        }
        const digit = hexadecimal(byte);
        if (digit < 0 || this.#digits === maxSizeDigits) throw new ProtocolError(400, sizeSentence);
        this.#left = this.#left * 16 + digit;
        this.#digits++;
        return;
      }
      case 'size-end':
        expectByte(byte, LF);
        this.#digits = 0;
        this.#state = this.#left === 0 ? 'last-cr' : 'data';
        return;
      case 'data-cr':
        expectByte(byte, CR);
        this.#state = 'data-lf';
        return;
      case 'data-lf':
        expectByte(byte, LF);
        this.#state = 'size';
        return;
      case 'last-cr':
        if (byte !== CR) throw new ProtocolError(400, 'Trailers after a chunked body are not supported.');
        this.#state = 'last-lf';
        return;
      case 'last-lf':
        expectByte(byte, LF);
        this.#state = 'done';
    }
  }
}

const sizeSentence = 'A chunk must begin with its size in hexadecimal, without extensions, and CR LF.';

function expectByte(byte: number, wanted: number): void {
  if (byte !== wanted) throw new ProtocolError(400, 'The size of a chunk and its data must each end with CR LF.');
}

function hexadecimal(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
