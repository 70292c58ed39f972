import { createConnection, type Socket } from 'node:net';
import { CountsFile } from './counts-file.ts';
import { LogFrameEncoder, type LogFrameEncoderOptions } from './log-frame-encoder.ts';
import type { LogOrigin, LogRecord } from './log-record.ts';
import { LogSpool } from './log-spool.ts';

export interface LogWriterOptions extends LogFrameEncoderOptions {
  readonly socketPath: string;
  readonly origin: LogOrigin;
  /** Bytes that may wait in this process for a host that does not keep up; records beyond it are counted, not kept. */
  readonly maxWaitingBytes?: number;
  /** How long to wait before connecting again when the host's socket is gone. */
  readonly reconnectMs?: number;
}

/**
 * A pod's end of the log: `write` every record, then `flush` before the answers of the same tick are sent. Never
 * blocks and never throws for the host's sake. What cannot be handed over is dropped; the host counts it exactly by
 * the gap in the numbers.
 *
 * Flushed bytes are in the kernel when they fit into the socket's buffer, so they outlive a pod that is killed; large
 * records lie in shared memory, and the socket only says where. While they do not fit, `flush` notes the counts in a
 * file, so that the host knows what died with the pod.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #encoder: LogFrameEncoder;
  readonly #maxWaitingBytes: number;
  readonly #counts: CountsFile;
  #socket: Socket | null = null;
  #spool: LogSpool | null = null;
  #isConnected = false;
  #hasSkipped = false;
  #owed = { records: 0, rows: 0 };
  #isClosed = false;
  #reconnecting: NodeJS.Timeout | null = null;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#encoder = new LogFrameEncoder(options.origin, options);
    this.#counts = new CountsFile(options.socketPath, options.origin.podId);
    this.#maxWaitingBytes = options.maxWaitingBytes ?? 16 * 1024 * 1024;
    this.#connect();
  }

  /** Records handed over or dropped so far: what the pod's `alive` message says as `logged`. */
  get records(): number {
    return this.#encoder.records;
  }

  /** Rows of those records, `loggedRows` in the `alive` message. */
  get rows(): number {
    return this.#encoder.rows;
  }

  write(record: LogRecord): void {
    const waiting = this.#encoder.pendingBytes + (this.#socket?.writableLength ?? 0);
    if (this.#socket === null || waiting > this.#maxWaitingBytes) {
      this.#encoder.skip(record.rowCount);
      this.#hasSkipped = true;
    } else if (!this.#encoder.append(record)) {
      this.#hasSkipped = true;
    }
  }

  /**
   * Tells how many records, and rows of them, have been answered and will be written later. Flushed before the answers,
   * it lets the host count those of a pod that dies in between.
   */
  owe(records: number, rows: number): void {
    this.#owed = { records, rows };
    if (this.#socket !== null) this.#encoder.appendOwed(records, rows);
  }

  flush(): void {
    const socket = this.#socket;
    if (socket !== null && this.#isConnected) {
      // A host that takes what it gets learns of the gap now; one that does not, when it has caught up.
      if (this.#hasSkipped && !socket.writableNeedDrain) this.#appendTally();
      if (this.#encoder.pendingBytes > 0) this.#send(socket);
      if (socket.writableLength === 0 && !this.#hasSkipped) return;
    }
    this.#counts.note(this.#encoder);
  }

  #send(socket: Socket): void {
    const frames = this.#encoder.take();
    socket.write(frames, (error) => {
      if (!error) this.#encoder.recycle(frames);
    });
  }

  /** Resolves when everything written so far is in the kernel, or the host is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#reconnecting !== null) clearTimeout(this.#reconnecting);
    const socket = this.#socket;
    if (socket === null) return;
    this.#appendTally();
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      const end = (): void => {
        this.flush();
        socket.end();
      };
      if (this.#isConnected) end();
      else socket.once('connect', end);
    });
  }

  #connect(): void {
    const socket = createConnection(this.#options.socketPath);
    this.#socket = socket;
    socket.on('connect', () => {
      this.#isConnected = true;
      this.#spool = LogSpool.create();
      if (this.#spool !== null) this.#encoder.useSpool(this.#spool);
      if (this.#owed.records > 0) this.#encoder.appendOwed(this.#owed.records, this.#owed.rows);
      this.flush();
    });
    socket.on('drain', () => this.flush());
    // The host says nothing; reading notices when it closes.
    socket.resume();
    // 'close' follows and decides.
    socket.on('error', () => {});
    socket.on('close', () => this.#lose());
  }

  /** Records that were skipped last would stay unknown to the host until the next record. */
  #appendTally(): void {
    this.#hasSkipped = false;
    this.#encoder.appendTally();
  }

  #lose(): void {
    this.#socket = null;
    this.#isConnected = false;
    this.#hasSkipped = true;
    this.#encoder.reset();
    this.#spool?.close();
    this.#spool = null;
    if (this.#isClosed) return;
    this.#reconnecting = setTimeout(() => this.#connect(), this.#options.reconnectMs ?? 200);
    this.#reconnecting.unref();
  }
}
