import type { Socket } from 'node:net';
import type { ErrorWord } from '@pademelon/contracts';
import {
  answerWithText,
  closeGracefully,
  type DeadlineWatch,
  ProtocolError,
  type RequestHead,
  RequestReader,
  type RequestSink,
  type Watched,
} from '@pademelon/http1';
import { errorAnswer, protocolErrorWord } from './error-answer.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { Caller, RequestRouter } from './request-router.ts';

export interface ClientTimeouts {
  /** From the first byte of a request to the end of its head. */
  readonly headMs: number;
  /** Between two requests. */
  readonly idleMs: number;
  /** A body must bring at least `minBodyBytes` in each such span. */
  readonly bodySpanMs: number;
  readonly minBodyBytes: number;
  /** How long a body that nobody wants any more is still taken, after its response is out. */
  readonly unwantedBodyMs: number;
  /** How long a caller may take no byte of a response. */
  readonly stallMs: number;
}

export const defaultClientTimeouts: ClientTimeouts = {
  headMs: 10_000,
  idleMs: 75_000,
  bodySpanMs: 10_000,
  minBodyBytes: 1024,
  unwantedBodyMs: 5_000,
  stallMs: 60_000,
};

const nothing = Buffer.alloc(0);

type Awaits = 'idle' | 'head' | 'body' | 'response' | 'reader' | 'unwanted';

export interface ClientConnectionOptions {
  readonly router: RequestRouter;
  readonly watch: DeadlineWatch;
  readonly metrics: GatewayMetrics;
  readonly timeouts: ClientTimeouts;
  readonly onClosed: (connection: ClientConnection) => void;
}

/**
 * One connection of a caller: its requests become exchanges, one at a time and in order. It writes what the exchanges
 * give it and slows down whoever is too fast, on either side.
 */
export class ClientConnection implements RequestSink, Caller, Watched {
  readonly address: string;
  deadlineAt: number;
  readonly #socket: Socket;
  readonly #options: ClientConnectionOptions;
  readonly #reader: RequestReader;
  #exchange: Exchange | null = null;
  #awaits: Awaits = 'idle';
  /** `bytesRead` at the beginning of the span, for the least rate of a body. */
  #spanBytes = 0;
  #isClosing = false;
  #mustClose = false;

  constructor(socket: Socket, options: ClientConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new RequestReader(this);
    this.address = socket.remoteAddress ?? 'unknown';
    this.deadlineAt = options.watch.now + options.timeouts.idleMs;
    options.watch.add(this);
    options.metrics.openConnections++;
    socket.on('data', this.#onData);
    socket.on('drain', () => this.#onDrain());
    // Half-closing counts as leaving, as with Node's own server. 'close' follows an error.
    socket.on('end', () => this.#leave());
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClose());
  }

  get isIdle(): boolean {
    return this.#exchange === null && this.#reader.heldBytes === 0;
  }

  /** Closes after the current request, or now when there is none. */
  closeWhenIdle(): void {
    this.#mustClose = true;
    if (this.isIdle) this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // As the sink of the reader.

  onHead(head: RequestHead): void {
    this.#spanBytes = this.#socket.bytesRead;
    this.#exchange = this.#options.router.begin(head, this);
  }

  onBody(bytes: Buffer, at: number, end: number): number {
    return this.#exchange!.takeBody(bytes, at, end);
  }

  isBodyDone(): boolean {
    return this.#exchange!.isBodyDone;
  }

  onEnd(): void {
    if (this.#exchange!.isOver) this.#next();
  }

  // As the caller of exchanges.

  write(bytes: Buffer | string): boolean {
    if (this.#isClosing) return true;
    const isTaken = typeof bytes === 'string' ? this.#socket.write(bytes, 'latin1') : this.#socket.write(bytes);
    if (!isTaken) this.#moveDeadline();
    return isTaken;
  }

  isHolding(): boolean {
    return this.#socket.writableLength > 0;
  }

  whenSent(onSent: () => void): void {
    if (!this.#isClosing) this.#socket.write(nothing, (error) => !error && onSent());
  }

  pauseBody(): void {
    this.#socket.pause();
  }

  resumeBody(): void {
    this.#spanBytes = this.#socket.bytesRead;
    this.#readOn();
  }

  mustClose(): boolean {
    return this.#mustClose || !this.#reader.head.isKeepAlive;
  }

  answerText(exchange: Exchange, contentType: string, text: string): void {
    exchange.status = 200;
    exchange.closesConnection = this.mustClose();
    this.write(answerWithText(200, contentType, text, exchange.closesConnection ? 'connection: close\r\n' : ''));
    exchange.cancel();
    this.onAnswered(exchange);
  }

  onStarted(): void {
    if (this.#awaits === 'response') this.deadlineAt = this.#options.watch.now + this.#patienceMs('response');
  }

  answerError(exchange: Exchange, word: ErrorWord, message: string): void {
    const { requestId, userAgent, errorForm } = exchange;
    exchange.closesConnection = this.mustClose();
    const answer = errorAnswer({
      word,
      message,
      requestId,
      userAgent,
      form: errorForm,
      closes: exchange.closesConnection,
    });
    exchange.status = Number(answer.toString('latin1', 9, 12));
    this.write(answer);
    this.onAnswered(exchange);
  }

  onAnswered(exchange: Exchange): void {
    this.#options.metrics.countAnswer(exchange.isInference ? 'inference' : 'api', exchange.status);
    if (this.#isClosing) return;
    if (exchange.closesConnection) this.#close();
    // Answered while its head is being handled: the reader goes on to the body and then calls `onEnd`.
    else if (exchange === this.#exchange && this.#reader.phase === 'answer') this.#next();
    else this.#moveDeadline();
  }

  abort(): void {
    this.#options.metrics.countAnswer(this.#exchange?.isInference ? 'inference' : 'api', 0);
    this.#socket.destroy();
  }

  onDeadline(): void {
    const { timeouts, watch } = this.#options;
    const exchange = this.#exchange;
    if (this.#awaits === 'body' && this.#isBodyFastEnough()) {
      this.#spanBytes = this.#socket.bytesRead;
      this.deadlineAt = watch.now + timeouts.bodySpanMs;
    } else if (this.#awaits === 'response' && exchange !== null) {
      if (exchange.isResponseBegun) this.deadlineAt = Number.POSITIVE_INFINITY;
      else exchange.fail('deadline_exceeded', `The pipeline did not answer within ${exchange.deadlineMs / 1_000} s.`);
    } else if (this.#awaits === 'head' || this.#awaits === 'body') {
      this.#refuse(new ProtocolError(408, 'The request did not arrive in time.'));
    } else if (this.#awaits === 'idle' && this.#socket.writableLength === 0) {
      this.#close();
    } else {
      this.#socket.destroy();
    }
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#guard(() => this.#reader.push(bytes));
    if (this.#isClosing) return;
    // Requests sent ahead wait in the kernel, which slows the caller down, and not in our memory.
    if (this.#reader.phase === 'answer' && this.#reader.heldBytes > 0) this.#socket.pause();
    this.#moveDeadline();
  };

  /** The exchange is over, request and response: reads the next one. */
  #next(): void {
    this.#exchange = null;
    this.#awaits = 'idle';
    this.#guard(() => this.#reader.next());
    if (this.#isClosing) return;
    this.#moveDeadline();
    this.#readOn();
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
    if (this.#isClosing || !this.#socket.isPaused() || this.#exchange?.isBodyPaused) return;
    if (this.#reader.phase === 'answer' && this.#reader.heldBytes > 0) return;
    this.#socket.resume();
  }

  #onDrain(): void {
    // Its next pause is a new one.
    this.#awaits = 'idle';
    this.#exchange?.onCallerDrain();
    this.#moveDeadline();
  }

  #moveDeadline(): void {
    const awaits = this.#nowAwaits();
    // Neither a head nor a body gets more time by every byte of it.
    if (awaits === this.#awaits && awaits !== 'idle') return;
    this.#awaits = awaits;
    this.deadlineAt = this.#options.watch.now + this.#patienceMs(awaits);
  }

  #nowAwaits(): Awaits {
    const exchange = this.#exchange;
    if (exchange === null) return this.#reader.heldBytes > 0 ? 'head' : 'idle';
    if (this.#socket.writableNeedDrain) return 'reader';
    if (exchange.isBodyDone) return 'response';
    return exchange.isOver ? 'unwanted' : 'body';
  }

  #patienceMs(awaits: Awaits): number {
    const { timeouts } = this.#options;
    switch (awaits) {
      case 'idle':
        return timeouts.idleMs;
      case 'head':
        return timeouts.headMs;
      case 'body':
        return timeouts.bodySpanMs;
      case 'unwanted':
        return timeouts.unwantedBodyMs;
      case 'reader':
        return timeouts.stallMs;
      case 'response':
        return this.#exchange!.deadlineMs;
    }
  }

  #isBodyFastEnough(): boolean {
    // While we do not read, a slow body is our doing.
    if (this.#exchange?.isBodyPaused) return true;
    return this.#socket.bytesRead - this.#spanBytes >= this.#options.timeouts.minBodyBytes;
  }

  #refuse({ status, message }: ProtocolError): void {
    if (this.#isClosing) return;
    const exchange = this.#exchange;
    exchange?.cancel();
    if (exchange?.isResponseBegun) {
      this.abort();
      return;
    }
    this.#options.metrics.countAnswer('own', status);
    const { requestId = 'none', userAgent, errorForm: form = 'api' } = exchange ?? {};
    const word = protocolErrorWord(status);
    this.#close(errorAnswer({ word, message, status, requestId, userAgent, form, closes: true }));
  }

  #close(lastBytes?: Buffer): void {
    this.#isClosing = true;
    this.#options.watch.delete(this);
    this.#socket.off('data', this.#onData);
    closeGracefully(this.#socket, lastBytes);
  }

  #leave(): void {
    this.#exchange?.cancel();
    if (!this.#isClosing) this.#socket.destroySoon();
  }

  #onClose(): void {
    this.#isClosing = true;
    this.#exchange?.cancel();
    this.#options.watch.delete(this);
    this.#options.metrics.openConnections--;
    this.#options.onClosed(this);
  }
}
