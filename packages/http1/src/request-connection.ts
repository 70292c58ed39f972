import type { Socket } from 'node:net';
import { releaseMemory } from '@pademelon/runtime/release-memory';
import { BodyCollector } from './body-collector.ts';
import { closeGracefully } from './close-gracefully.ts';
import type { DeadlineWatch, Watched } from './deadline-watch.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RequestHead } from './request-head.ts';
import { RequestReader, type RequestSink } from './request-reader.ts';

/** What a server does with requests whose bodies are collected whole. */
export interface RequestHandler {
  /**
   * Called with every head before its body is taken. Returns the bytes that the body may have; throws ProtocolError to
   * refuse the request, upon which the connection is closed.
   */
  admit(head: RequestHead): number;
  /**
   * Answers a request by calling `connection.answer` once, now or later. `head` and `body` are valid until then; the
   * body may share memory with the head.
   */
  handle(head: RequestHead, body: Buffer, connection: RequestConnection): void;
  /** A complete last answer, with `connection: close`, to a request that broke the rules. `head` may be incomplete. */
  refuse(error: ProtocolError, head: RequestHead): Buffer;
}

export interface ConnectionTimeouts {
  /** From the first byte of a request to the end of its head. */
  readonly headMs: number;
  /** Longest pause between two pieces of a body. */
  readonly bodyPauseMs: number;
  /** Between two requests. */
  readonly idleMs: number;
}

export const defaultTimeouts: ConnectionTimeouts = { headMs: 10_000, bodyPauseMs: 15_000, idleMs: 75_000 };

/**
 * One keep-alive connection of a server that answers requests with bodies collected whole: requests are handled in the
 * order of their bytes, one at a time; a client that does not read its answers is not read from either.
 */
export class RequestConnection implements RequestSink, Watched {
  readonly socket: Socket;
  deadlineAt: number;
  readonly #handler: RequestHandler;
  readonly #watch: DeadlineWatch;
  readonly #timeouts: ConnectionTimeouts;
  readonly #reader: RequestReader;
  readonly #body = new BodyCollector();
  #isClosing = false;
  #mustClose = false;
  #awaits: 'idle' | 'head' | 'body' | 'answer' = 'idle';

  constructor(
    socket: Socket,
    handler: RequestHandler,
    options: { watch: DeadlineWatch; timeouts?: ConnectionTimeouts },
  ) {
    this.socket = socket;
    this.#handler = handler;
    this.#watch = options.watch;
    this.#timeouts = options.timeouts ?? defaultTimeouts;
    this.#reader = new RequestReader(this);
    this.deadlineAt = this.#watch.now + this.#timeouts.idleMs;
    this.#watch.add(this);
    socket.setNoDelay(true);
    socket.on('data', this.#onData);
    socket.on('drain', () => this.#readOn());
    // A broken connection ends with 'close'; without a listener the error would end the process.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClose());
  }

  /** Whether no request is being read, handled or answered. */
  get isIdle(): boolean {
    return this.#reader.phase === 'head' && this.#reader.heldBytes === 0 && this.socket.writableLength === 0;
  }

  /** Whether the client is gone: an answer would reach nobody. */
  get isClosed(): boolean {
    return !this.socket.writable;
  }

  /**
   * Sends the complete answer to the current request as it is and reads the next request. The answer's memory becomes
   * the connection's, which gives it back when it is sent.
   */
  answer(bytes: Buffer): void {
    if (this.#isClosing || this.isClosed) return;
    this.socket.write(bytes, () => releaseAnswer(bytes));
    if (this.#mustClose || !this.#reader.head.isKeepAlive) {
      this.#close();
      return;
    }
    const { headPiece } = this.#reader;
    const isOnlyHead = headPiece !== null && !this.#body.isViewOf(headPiece);
    this.#guard(() => this.#reader.next());
    if (isOnlyHead) this.#letGo(headPiece);
    this.#moveDeadline();
    this.#readOn();
  }

  /** Closes after the current request, or now when there is none. */
  closeWhenIdle(): void {
    this.#mustClose = true;
    if (this.isIdle) this.#close();
  }

  onHead(head: RequestHead): void {
    const limitBytes = this.#handler.admit(head);
    this.#body.begin(head, limitBytes);
    if (head.expectsContinue && !this.#body.isDone) this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
  }

  onBody(bytes: Buffer, at: number, end: number): number {
    return this.#body.pass(bytes, at, end);
  }

  isBodyDone(): boolean {
    return this.#body.isDone;
  }

  onEnd(): void {
    this.#awaits = 'answer';
    this.deadlineAt = Number.POSITIVE_INFINITY;
    this.#handler.handle(this.#reader.head, this.#body.take(), this);
  }

  onDeadline(): void {
    if (this.isIdle) this.#close();
    // A client that does not read its answer.
    else if (this.#awaits === 'idle') this.socket.destroy();
    else this.#refuse(new ProtocolError(408, 'The request did not arrive in time.'));
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#guard(() => this.#reader.push(bytes));
    this.#letGo(bytes);
    this.#moveDeadline();
    // Requests sent ahead wait in the kernel, which slows the client down, and not in our memory.
    if (this.#reader.phase === 'answer' && this.#reader.heldBytes > 0) this.socket.pause();
  };

  #letGo(piece: Buffer): void {
    if (!this.#reader.holds(piece) && !this.#body.isViewOf(piece)) releaseMemory(piece);
  }

  #moveDeadline(): void {
    const { phase, heldBytes } = this.#reader;
    if (phase === 'answer') return;
    const awaits = phase === 'body' ? 'body' : heldBytes > 0 ? 'head' : 'idle';
    // The deadline of a head does not move with every byte of it.
    if (awaits === 'head' && this.#awaits === 'head') return;
    this.#awaits = awaits;
    const { headMs, bodyPauseMs, idleMs } = this.#timeouts;
    this.deadlineAt = this.#watch.now + (awaits === 'body' ? bodyPauseMs : awaits === 'head' ? headMs : idleMs);
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    }
  }

  #readOn(): void {
    if (this.#isClosing || this.#reader.phase === 'answer') return;
    if (this.socket.writableNeedDrain) this.socket.pause();
    else if (this.socket.isPaused()) this.socket.resume();
  }

  #refuse(error: ProtocolError): void {
    if (this.#isClosing) return;
    this.#close(this.#handler.refuse(error, this.#reader.head));
  }

  #close(lastBytes?: Buffer): void {
    this.#isClosing = true;
    this.#watch.delete(this);
    this.socket.off('data', this.#onData);
    closeGracefully(this.socket, lastBytes);
  }

  #onClose(): void {
    this.#isClosing = true;
    this.#watch.delete(this);
  }
}

/** An answer is the beginning or the most of memory of its own; less than half may be a place in Node's shared pool. */
function releaseAnswer({ buffer, length }: Buffer): void {
  if (length * 2 >= buffer.byteLength) releaseMemory(new Uint8Array(buffer));
}
