import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { BodyScanner, type DeadlineWatch, ProtocolError, ResponseHead, type Watched } from '@pademelon/http1';
import { giveBackChunk, takeChunk } from './chunk.ts';

/** What an exchange does with the response that it gets. */
export interface ResponseReceiver {
  /** The final head. Returns what is to be passed on in its place, or null when its bytes can pass as they are. */
  onResponseHead(head: ResponseHead): string | null;
  /** An answer before the answer (100 Continue), as it came. As with `onResponseBytes`. */
  onInterimResponse(bytes: Buffer): void;
  /** More of the response, head included, framing untouched. Their memory is read into again unless `isHolding`. */
  onResponseBytes(bytes: Buffer | string): void;
  /** Whether bytes that it got are still to be sent. */
  isHolding(): boolean;
  /** Calls back once all that it got is sent, and never if that fails. */
  whenSent(onSent: () => void): void;
  onResponseEnd(): void;
  /** The connection ended before the response did. */
  onUpstreamLost(): void;
  /** What was written has left; more may be written. */
  onUpstreamDrain(): void;
}

export interface UpstreamOptions {
  readonly destination: NetConnectOpts;
  readonly watch: DeadlineWatch;
  readonly connectMs: number;
}

/** Whoever keeps connections between requests. */
interface UpstreamOwner {
  /** Takes back a connection whose last response is complete. */
  release(connection: UpstreamConnection): void;
  /** Forgets a connection that ended while it was unused. */
  forget(connection: UpstreamConnection): void;
}

type Options = UpstreamOptions & { readonly pool: UpstreamOwner };

/** One kept connection to a pod or the API: one request at a time, its response scanned for its end and passed on. */
export class UpstreamConnection implements Watched {
  readonly socket: Socket;
  /** Whether it has served before: it may then turn out to be closed already. */
  isKept = false;
  deadlineAt: number;
  readonly #options: Options;
  readonly #head = new ResponseHead();
  readonly #body = new BodyScanner();
  #receiver: ResponseReceiver | null = null;
  #onConnected: ((connection: UpstreamConnection | null) => void) | null;
  #isBodyPhase = false;
  #held: Buffer | null = null;
  #isBroken = false;
  /** What is read lies in it, and is passed on from there. */
  #chunk = takeChunk();

  static open(options: Options, onConnection: (connection: UpstreamConnection | null) => void): void {
    new UpstreamConnection(options, onConnection);
  }

  private constructor(options: Options, onConnected: (connection: UpstreamConnection | null) => void) {
    const { destination, watch, connectMs } = options;
    this.#options = options;
    this.#onConnected = onConnected;
    this.deadlineAt = watch.now + connectMs;
    watch.add(this);
    this.socket = connect({
      ...destination,
      onread: {
        buffer: () => this.#chunk,
        callback: (length, chunk) => {
          this.#onData((chunk as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    this.socket.on('connect', () => this.#settle(this));
    this.socket.on('drain', () => this.#receiver?.onUpstreamDrain());
    this.socket.on('end', () => this.#onEnd());
    // 'close' follows and decides.
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.#onClose());
  }

  get isUsable(): boolean {
    return !this.#isBroken && this.socket.writable && !this.socket.errored;
  }

  /** Begins a request whose response goes to `receiver`; the caller then writes to the socket. */
  begin(receiver: ResponseReceiver, options: { answersHead: boolean }): void {
    this.#receiver = receiver;
    this.#isBodyPhase = false;
    this.#head.reset();
    this.#head.answersHead = options.answersHead;
    this.deadlineAt = Number.POSITIVE_INFINITY;
  }

  /** Gives the connection back for the next request. */
  release(): void {
    this.#receiver = null;
    this.#options.pool.release(this);
  }

  /** Ends the connection; the receiver hears no more. */
  destroy(): void {
    this.#receiver = null;
    this.#isBroken = true;
    this.socket.destroy();
  }

  onDeadline(): void {
    this.socket.destroy();
  }

  #settle(connection: UpstreamConnection | null): void {
    const onConnected = this.#onConnected;
    this.#onConnected = null;
    onConnected?.(connection);
  }

  #onData(bytes: Buffer): void {
    const receiver = this.#receiver;
    if (receiver === null) {
      // Nobody asked: whatever this is, it must not become the answer to the next request.
      this.destroy();
      return;
    }
    try {
      this.#scan(this.#held === null ? bytes : Buffer.concat([this.#held, bytes]));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#lose();
    }
    if (receiver.isHolding()) this.#replaceChunk(receiver);
  }

  /** Mostly the kernel takes all of it at once. Else it stays as it is until it is sent, and we go on in another one. */
  #replaceChunk(receiver: ResponseReceiver): void {
    const chunk = this.#chunk;
    this.#chunk = takeChunk();
    receiver.whenSent(() => giveBackChunk(chunk));
  }

  #scan(bytes: Buffer): void {
    this.#held = null;
    let at = 0;
    while (!this.#isBodyPhase) {
      if (!this.#head.scan(bytes, at, bytes.length)) {
        this.#held = Buffer.from(bytes.subarray(at));
        return;
      }
      const end = at + this.#head.length;
      if (!this.#head.isInterim) {
        this.#passHead(bytes, at, end);
        return;
      }
      this.#receiver?.onInterimResponse(bytes.subarray(at, end));
      const { answersHead } = this.#head;
      this.#head.reset();
      this.#head.answersHead = answersHead;
      at = end;
      if (at === bytes.length) return;
    }
    this.#passBody(bytes, 0, 0);
  }

  #passHead(bytes: Buffer, start: number, end: number): void {
    const receiver = this.#receiver!;
    this.#isBodyPhase = true;
    this.#body.beginResponse(this.#head);
    const replacement = receiver.onResponseHead(this.#head);
    if (replacement === null) {
      // Head and body of a small answer go on in one write.
      this.#passBody(bytes, start, end);
    } else {
      receiver.onResponseBytes(replacement);
      this.#passBody(bytes, end, end);
    }
  }

  /** Passes on bytes[from..], of which the body begins at `bodyStart`, as far as the response goes. */
  #passBody(bytes: Buffer, from: number, bodyStart: number): void {
    const receiver = this.#receiver;
    const end = this.#body.pass(bytes, bodyStart, bytes.length);
    if (end > from) receiver?.onResponseBytes(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
    // More than was announced: the connection cannot be trusted with another request.
    if (end < bytes.length) this.#isBroken = true;
    if (this.#body.isDone) this.#complete();
  }

  #complete(): void {
    const receiver = this.#receiver;
    if (!this.#head.isKeepAlive) this.#isBroken = true;
    receiver?.onResponseEnd();
  }

  #onEnd(): void {
    this.#isBroken = true;
    if (this.#receiver === null) this.#options.pool.forget(this);
    else if (this.#isBodyPhase && this.#body.endsWithConnection) this.#receiver.onResponseEnd();
    else this.#lose();
  }

  #lose(): void {
    const receiver = this.#receiver;
    this.destroy();
    receiver?.onUpstreamLost();
  }

  #onClose(): void {
    this.#isBroken = true;
    this.#options.watch.delete(this);
    this.#options.pool.forget(this);
    this.#settle(null);
    giveBackChunk(this.#chunk);
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.onUpstreamLost();
  }
}
