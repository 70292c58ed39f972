import { ChunkScanner } from './chunk-scanner.ts';
import type { RequestHead } from './request-head.ts';
import type { BodyFraming, ResponseHead } from './response-head.ts';

/** Finds the end of a body as its bytes pass, without touching them. */
export class BodyScanner {
  #framing: BodyFraming = 'none';
  #left = 0;
  readonly #chunks = new ChunkScanner();

  beginRequest(head: RequestHead): void {
    this.#begin(head.isChunked ? 'chunked' : 'length', Math.max(0, head.contentLength));
  }

  beginResponse(head: ResponseHead): void {
    this.#begin(head.framing, Math.max(0, head.contentLength));
  }

  #begin(framing: BodyFraming, length: number): void {
    this.#framing = framing;
    this.#left = length;
    if (framing === 'chunked') this.#chunks.reset();
  }

  /** Whether the body has passed. One that ends with the connection is never done by its bytes. */
  get isDone(): boolean {
    if (this.#framing === 'length') return this.#left === 0;
    return this.#framing === 'none' || (this.#framing === 'chunked' && this.#chunks.isDone);
  }

  get endsWithConnection(): boolean {
    return this.#framing === 'until-close';
  }

  /** Passes over bytes[at..end); returns the position of the first byte that is not the body's, or `end`. */
  pass(bytes: Uint8Array, at: number, end: number): number {
    switch (this.#framing) {
      case 'none':
        return at;
      case 'length': {
        const run = Math.min(this.#left, end - at);
        this.#left -= run;
        return at + run;
      }
      case 'chunked': {
        let i = at;
        while (i < end && !this.#chunks.isDone) i = this.#chunks.step(bytes, i, end);
        return i;
      }
      case 'until-close':
        return end;
    }
  }
}
