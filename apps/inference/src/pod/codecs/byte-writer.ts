import { maxNumberBytes, writeAscii, writeDigits, writeFloat32, writeFloat64, writeInteger } from './number-text.ts';

/**
 * A growing run of bytes that answers are written into. One writer serves all answers of a pod, one after the other.
 */
export class ByteWriter {
  bytes: Buffer;
  length = 0;
  #headRoom = 0;
  readonly #keepBytes: number;

  /** `keepBytes`: memory beyond it is let go after an unusually large answer. */
  constructor(options: { keepBytes?: number } = {}) {
    this.#keepBytes = options.keepBytes ?? 4 * 1024 * 1024;
    this.bytes = Buffer.allocUnsafeSlow(64 * 1024);
  }

  /** Starts over, leaving room for `headRoom` bytes that are known only when the rest is written. */
  begin(headRoom = 0): void {
    if (this.bytes.length > this.#keepBytes) this.bytes = Buffer.allocUnsafeSlow(64 * 1024);
    this.#headRoom = headRoom;
    this.length = headRoom;
  }

  /** Makes sure that `count` more bytes fit. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  copy(source: Buffer, start = 0, end: number = source.length): void {
    this.reserve(end - start);
    // A call into the runtime costs more than a few dozen assignments.
    if (end - start > 48) {
      source.copy(this.bytes, this.length, start, end);
    } else {
      const { bytes, length } = this;
      for (let index = start; index < end; index += 1) bytes[length + index - start] = source[index]!;
    }
    this.length += end - start;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  ascii(text: string): void {
    this.reserve(text.length);
    this.length = writeAscii(this.bytes, this.length, text);
  }

  text(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.bytes.write(text, this.length);
  }

  digits(value: number): void {
    this.reserve(maxNumberBytes);
    this.length = writeDigits(this.bytes, this.length, value);
  }

  integer(value: number): void {
    this.reserve(maxNumberBytes);
    this.length = writeInteger(this.bytes, this.length, value);
  }

  float32(value: number): void {
    this.reserve(maxNumberBytes);
    this.length = writeFloat32(this.bytes, this.length, value);
  }

  float64(value: number): void {
    this.reserve(maxNumberBytes);
    this.length = writeFloat64(this.bytes, this.length, value);
  }

  /** Bytes written since `begin`, without the head room. */
  get contentLength(): number {
    return this.length - this.#headRoom;
  }

  /**
   * `head` (ASCII, at most the head room) followed by what was written. The bytes are the caller's: a large answer is
   * handed out as it is and the writer goes on with new memory, a small one is copied.
   */
  take(head = ''): Buffer {
    const start = this.#headRoom - head.length;
    writeAscii(this.bytes, start, head);
    const content = this.bytes.subarray(start, this.length);
    if (content.length * 2 < this.bytes.length) return Buffer.from(content);
    this.bytes = Buffer.allocUnsafeSlow(Math.min(this.bytes.length, this.#keepBytes));
    return content;
  }
}
