import type { ErrorWord } from '@pademelon/contracts';
import { BodyScanner, type RequestHead, type ResponseHead } from '@pademelon/http1';
import type { ErrorForm } from './error-answer.ts';
import { callerResponseHead } from './forward-heads.ts';
import { passOn } from './pass-on.ts';
import type { ResponseReceiver, UpstreamConnection } from './upstream-connection.ts';

/** What an exchange asks of the connection of its caller. */
export interface ExchangeCaller {
  write(bytes: Buffer | string): boolean;
  /** Whether something of what was written is still to be sent. */
  isHolding(): boolean;
  /** Calls back once all that was written is sent, and never if that fails. */
  whenSent(onSent: () => void): void;
  /** Stops and goes on taking the request's body. */
  pauseBody(): void;
  resumeBody(): void;
  /** The exchange goes to its destination, whose deadline counts from now on. */
  onStarted(): void;
  /** Whether the connection ends with this response. */
  mustClose(): boolean;
  answerError(exchange: Exchange, word: ErrorWord, message: string): void;
  /** The response is out as a whole. */
  onAnswered(exchange: Exchange): void;
  /** The response broke off: nothing sensible can follow it. */
  abort(): void;
}

/** Where requests go: finds connections, one after the other until a request is sent or it gives up. */
export interface Destination {
  /** Leads to `exchange.send` or `exchange.fail`, now or later. */
  dispatch(exchange: Exchange): void;
  /** Nothing of the request was sent: leads to another attempt or to `fail`. */
  retry(exchange: Exchange): void;
  /** The exchange is over; called once, however it ended, if it was dispatched. */
  release(exchange: Exchange): void;
  /** From the end of the request to the head of its response, in milliseconds. */
  readonly deadlineMs: number;
  /** What to tell a caller whose request was lost with the one who was working on it. */
  explainLoss(): [ErrorWord, string];
}

/** Body bytes that are held back until a connection is there; with more the caller is no longer read from. */
const maxHeldBytes = 64 * 1024;
/** Up to this size head and body are copied into one buffer and leave in one write. */
const maxJoinedBytes = 16 * 1024;

/**
 * One request on its way to a pod or the API and its response on the way back. Only the framing of the bodies is
 * looked at. The request is held back until it is complete or too large to hold, so that a slow sender occupies
 * nobody but himself, and until it was sent it can go to another pod.
 */
export class Exchange implements ResponseReceiver {
  readonly requestId: string;
  readonly userAgent: string | undefined;
  readonly isInference: boolean;
  readonly errorForm: ErrorForm;
  /** Moment of arrival on the clock of performance.now(). */
  readonly startedAtMs = performance.now();
  status = 0;
  /** Whether the end of the response is the end of the connection. */
  closesConnection = false;
  readonly #caller: ExchangeCaller;
  #destination: Destination | null = null;
  readonly #request = new BodyScanner();
  readonly #answersHead: boolean;
  /** Head lines behind those that the destination puts in front. */
  readonly #headers: string;
  readonly #holdsBody: boolean;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #connection: UpstreamConnection | null = null;
  #isStarted = false;
  #isDispatched = false;
  #isBodyPaused = false;
  #isResponseBegun = false;
  #isOver = false;

  constructor(options: {
    caller: ExchangeCaller;
    head: RequestHead;
    headers: string;
    requestId: string;
    isInference: boolean;
    errorForm?: ErrorForm;
  }) {
    const { caller, head, headers, requestId, isInference } = options;
    this.#caller = caller;
    this.#headers = headers;
    this.requestId = requestId;
    this.isInference = isInference;
    this.errorForm = options.errorForm ?? (isInference ? 'inference' : 'api');
    this.userAgent = head.get('user-agent');
    this.#answersHead = head.method === 'HEAD';
    // The API decides itself what it does with a body that has begun; pods get theirs in one go.
    this.#holdsBody = isInference;
    this.#request.beginRequest(head);
  }

  get isBodyDone(): boolean {
    return this.#request.isDone;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How long the response may take; without end while it is open where the request goes. */
  get deadlineMs(): number {
    return this.#destination?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  get isResponseBegun(): boolean {
    return this.#isResponseBegun;
  }

  get isBodyPaused(): boolean {
    return this.#isBodyPaused;
  }

  /** The request may be sent there, as soon as enough of it is here. What is answered here is never started. */
  start(destination: Destination): void {
    this.#destination = destination;
    this.#isStarted = true;
    this.#caller.onStarted();
    if (this.isBodyDone || !this.#holdsBody || this.#heldBytes >= maxHeldBytes) this.#dispatch();
  }

  /** Takes body bytes of bytes[at..end); returns where the body ended, or `end`. */
  takeBody(bytes: Buffer, at: number, end: number): number {
    const stop = this.#request.pass(bytes, at, end);
    // What comes after the answer is of no use to anybody; its end must still be found.
    if (this.#isOver || stop === at) return stop;
    const piece = bytes.subarray(at, stop);
    if (this.#connection !== null) {
      if (!passOn(this.#connection.socket, piece)) this.#pauseBody();
      return stop;
    }
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes >= maxHeldBytes || this.isBodyDone) this.#dispatch();
    // Dispatching may have sent it already.
    if (this.#connection === null && this.#heldBytes >= maxHeldBytes && !this.#isOver) this.#pauseBody();
    return stop;
  }

  /** Sends what is here through a connection; `prefix` is the request line with the destination's own headers. */
  send(connection: UpstreamConnection, prefix: string): void {
    connection.begin(this, { answersHead: this.#answersHead });
    this.#connection = connection;
    this.#write(connection, prefix + this.#headers);
    // Set at once only when the very first attempt to write failed as a whole: the kernel took no byte.
    if (connection.socket.errored) {
      this.#connection = null;
      connection.destroy();
      this.#destination!.retry(this);
      return;
    }
    this.#held = [];
    this.#heldBytes = 0;
    if (!connection.socket.writableNeedDrain) this.#resumeBody();
  }

  /** Answers the caller with an error, or breaks off a response that has begun. */
  fail(word: ErrorWord, message: string): void {
    if (this.#isOver) return;
    this.#end();
    if (this.#isResponseBegun) this.#caller.abort();
    else this.#caller.answerError(this, word, message);
  }

  /** The caller is gone. */
  cancel(): void {
    if (!this.#isOver) this.#end();
  }

  /** The caller has read what was written. */
  onCallerDrain(): void {
    this.#connection?.socket.resume();
  }

  onResponseHead(head: ResponseHead): string | null {
    this.status = head.status;
    this.#isResponseBegun = true;
    const mustClose = this.#caller.mustClose() || head.framing === 'until-close';
    this.closesConnection = mustClose;
    return mustClose || head.hasHopByHop || head.minorVersion === 0 ? callerResponseHead(head, mustClose) : null;
  }

  onInterimResponse(bytes: Buffer): void {
    this.#caller.write(bytes);
  }

  onResponseBytes(bytes: Buffer | string): void {
    if (!this.#caller.write(bytes)) this.#connection?.socket.pause();
  }

  isHolding(): boolean {
    return this.#caller.isHolding();
  }

  whenSent(onSent: () => void): void {
    this.#caller.whenSent(onSent);
  }

  onResponseEnd(): void {
    const connection = this.#connection;
    this.#connection = null;
    // An upstream that answered before it had the whole request is in the middle of it.
    if (connection !== null && this.isBodyDone) {
      // A caller that reads slowly may have it paused.
      if (connection.socket.isPaused()) connection.socket.resume();
      connection.release();
    } else {
      connection?.destroy();
    }
    this.#end();
    this.#caller.onAnswered(this);
  }

  onUpstreamLost(): void {
    this.#connection = null;
    this.fail(...this.#destination!.explainLoss());
  }

  onUpstreamDrain(): void {
    this.#resumeBody();
  }

  #dispatch(): void {
    if (!this.#isStarted || this.#isDispatched || this.#isOver) return;
    this.#isDispatched = true;
    this.#destination?.dispatch(this);
  }

  #end(): void {
    this.#isOver = true;
    this.#held = [];
    this.#heldBytes = 0;
    this.#connection?.destroy();
    this.#connection = null;
    if (this.#isDispatched) this.#destination?.release(this);
    this.#resumeBody();
  }

  #write(connection: UpstreamConnection, head: string): void {
    const { socket } = connection;
    if (this.#heldBytes === 0) {
      socket.write(head, 'latin1');
    } else if (head.length + this.#heldBytes <= maxJoinedBytes) {
      const joined = Buffer.allocUnsafe(head.length + this.#heldBytes);
      let at = joined.write(head, 'latin1');
      for (const piece of this.#held) at += piece.copy(joined, at);
      socket.write(joined);
    } else {
      socket.cork();
      socket.write(head, 'latin1');
      for (const piece of this.#held) passOn(socket, piece);
      socket.uncork();
    }
  }

  #pauseBody(): void {
    this.#isBodyPaused = true;
    this.#caller.pauseBody();
  }

  #resumeBody(): void {
    if (!this.#isBodyPaused) return;
    this.#isBodyPaused = false;
    this.#caller.resumeBody();
  }
}
