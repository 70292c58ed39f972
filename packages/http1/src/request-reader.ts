import { maxHeadBytes } from './message-head.ts';
import { RequestHead } from './request-head.ts';

/** What a reader hands over, in this order for every request: a head, the body's bytes, the end. */
export interface RequestSink {
  /** A head is complete. It is valid until `onEnd` returns as long as the sink keeps no view of it. */
  onHead(head: RequestHead): void;
  /**
   * Bytes at[at..end) follow the head. Returns the position behind the body's last byte, or `end` when the body goes
   * on; `isBodyDone` tells which.
   */
  onBody(bytes: Buffer, at: number, end: number): number;
  isBodyDone(): boolean;
  /** The request is complete. The next one is not read before `next()` is called, during this call or later. */
  onEnd(): void;
}

/**
 * Cuts the bytes of one connection into requests, one at a time: what a pipelining client sends ahead waits, so answers
 * keep their order. Throws ProtocolError from `push` and `next`; the connection is then beyond use.
 */
export class RequestReader {
  readonly head = new RequestHead();
  readonly #sink: RequestSink;
  #phase: 'head' | 'body' | 'answer' = 'head';
  /** Bytes not yet taken: the beginning of a head, or what came after the end of the current request. */
  #held: Buffer | null = null;
  #isInside = false;
  /** Whose bytes the head shows. */
  #headPiece: Buffer | null = null;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  get phase(): 'head' | 'body' | 'answer' {
    return this.#phase;
  }

  /** Bytes that wait: while an answer is due, a reason to stop reading from the socket; else a head has begun. */
  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  /** The bytes that the current head came in, which may be more than the head; null before it is complete. */
  get headPiece(): Buffer | null {
    return this.#headPiece;
  }

  /** Whether these bytes are still looked at, not counting the sink's own view of a body. */
  holds(bytes: Buffer): boolean {
    return this.#headPiece?.buffer === bytes.buffer || this.#held?.buffer === bytes.buffer;
  }

  push(bytes: Buffer): void {
    if (this.#phase === 'answer') {
      this.#held = join(this.#held, bytes);
      return;
    }
    const joined = join(this.#held, bytes);
    this.#held = null;
    this.#run(joined, 0);
  }

  /** The answer to the current request is out: reads on. */
  next(): void {
    this.head.reset();
    this.#headPiece = null;
    this.#phase = 'head';
    // Called from within `onEnd`, the loop that called it goes on; recursion would deepen with every pipelined request.
    if (this.#isInside) return;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#run(held, 0);
  }

  #run(bytes: Buffer, from: number): void {
    this.#isInside = true;
    try {
      const stopped = this.#loop(bytes, from);
      if (stopped < bytes.length) this.#held = compact(bytes, stopped, this.#phase === 'head');
    } finally {
      this.#isInside = false;
    }
  }

  /** Returns the position of the first byte that could not be taken yet. */
  #loop(bytes: Buffer, from: number): number {
    let at = from;
    for (;;) {
      if (this.#phase === 'head') {
        if (at === bytes.length || !this.head.scan(bytes, at, bytes.length)) return at;
        at += this.head.length;
        this.#headPiece = bytes;
        this.#phase = 'body';
        this.#sink.onHead(this.head);
      }
      if (this.#phase === 'body') {
        if (!this.#sink.isBodyDone()) at = this.#sink.onBody(bytes, at, bytes.length);
        if (!this.#sink.isBodyDone()) return at;
        this.#phase = 'answer';
        this.#sink.onEnd();
      }
      if (this.#phase === 'answer') return at;
    }
  }
}

function join(held: Buffer | null, bytes: Buffer): Buffer {
  return held === null ? bytes : Buffer.concat([held, bytes]);
}

/** A short rest is copied, so that it does not keep the large buffer that it came in. */
function compact(bytes: Buffer, from: number, isHead: boolean): Buffer {
  const rest = bytes.subarray(from);
  return isHead || rest.length < maxHeadBytes ? Buffer.from(rest) : rest;
}
