import { StringDecoder } from 'node:string_decoder';
import type { SecretMask } from './secret-mask.ts';

/**
 * Bytes of output become lines without secrets, whatever pieces they arrive in. A line longer than `maxLineLength`
 * characters is cut; before a cut the mask sees the whole of what is there, and as much as the longest secret waits for
 * what follows, so that no secret is torn in two.
 */
export class LogLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #mask: SecretMask;
  readonly #givenLineLength: number;
  #rest = '';

  constructor(mask: SecretMask, maxLineLength = 64 * 1024) {
    this.#mask = mask;
    this.#givenLineLength = maxLineLength;
  }

  get #maxLineLength(): number {
    return Math.max(this.#givenLineLength, this.#mask.longest);
  }

  push(chunk: Buffer): string[] {
    const pieces = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = pieces.pop() as string;
    const lines = pieces.flatMap((piece) => this.#cut(this.#mask.apply(piece.replace(/\r$/, ''))));
    if (this.#rest.length > this.#maxLineLength + this.#mask.longest) {
      const masked = this.#mask.apply(this.#rest);
      const cutAt = masked.length - (masked.length % this.#maxLineLength) - this.#maxLineLength;
      lines.push(...this.#cut(masked.slice(0, Math.max(cutAt, 0))).filter((line) => line !== ''));
      this.#rest = masked.slice(Math.max(cutAt, 0));
    }
    return lines;
  }

  /** What is left without a line end. */
  end(): string[] {
    const last = this.#mask.apply(this.#rest + this.#decoder.end());
    this.#rest = '';
    return last === '' ? [] : this.#cut(last);
  }

  #cut(line: string): string[] {
    if (line.length <= this.#maxLineLength) return [line];
    const lines: string[] = [];
    for (let at = 0; at < line.length; at += this.#maxLineLength) lines.push(line.slice(at, at + this.#maxLineLength));
    return lines;
  }
}
