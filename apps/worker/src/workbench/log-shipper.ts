import type { RunLease, RunStore } from '@pademelon/domain';
import { LogLines } from '@pademelon/workbench';
import type { RunSecrets } from './run-secrets.ts';

const flushEveryMs = 200;
const flushAtBytes = 64 * 1024;

/** Output as it came, words of the platform's own, or (null) the end of a stream; not masked yet. */
interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly timeMs: number;
  readonly content: Uint8Array | string | null;
}

/**
 * Turns a run's output into log lines `<ISO time> <stream> F <text>` (the shape that the SDK's display takes apart) and
 * writes them to the run while it goes on. Lines are numbered; a chunk that was written is never written again. When
 * the lease is lost nothing more is written.
 *
 * Secrets are asked for after the output has come and before any of it becomes lines: what the code was given in the
 * meantime is masked too.
 */
export class LogShipper {
  readonly #store: Pick<RunStore, 'appendLog'>;
  readonly #lease: RunLease;
  readonly #secrets: Pick<RunSecrets, 'mask' | 'refresh'>;
  readonly #readers: Readonly<Record<'stdout' | 'stderr', LogLines>>;
  readonly #onError: (error: unknown) => void;
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  #nextLine: number;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isLost = false;
  #isWithholding = false;
  #isEnded = false;

  constructor(options: {
    store: Pick<RunStore, 'appendLog'>;
    lease: RunLease;
    secrets: Pick<RunSecrets, 'mask' | 'refresh'>;
    /** Number of the first line: after those of earlier attempts. */
    firstLine: number;
    onError: (error: unknown) => void;
  }) {
    this.#store = options.store;
    this.#lease = options.lease;
    this.#nextLine = options.firstLine;
    this.#secrets = options.secrets;
    const { mask } = options.secrets;
    this.#readers = { stdout: new LogLines(mask), stderr: new LogLines(mask) };
    this.#onError = options.onError;
  }

  output(stream: 'stdout' | 'stderr', timeMs: number, bytes: Uint8Array): void {
    this.#add({ stream, timeMs, content: bytes });
  }

  /** A line of the platform's own, for example why something was refused: it may repeat what the code asked for. */
  say(timeMs: number, text: string): void {
    this.#add({ stream: 'stderr', timeMs, content: `[pademelon] ${text}` });
  }

  /** No more output comes: a last line without an end counts as one, before what the platform says about it. */
  endOutput(timeMs: number): void {
    for (const stream of ['stdout', 'stderr'] as const) this.#add({ stream, timeMs, content: null });
  }

  /** Writes everything that is left. False when the lease was lost on the way. */
  async end(timeMs: number): Promise<boolean> {
    this.endOutput(timeMs);
    this.#isEnded = true;
    this.#flush();
    await this.#writing;
    return !this.#isLost;
  }

  #add(piece: Piece): void {
    if (this.#isEnded) return;
    this.#waiting.push(piece);
    this.#waitingBytes += piece.content?.length ?? 0;
    if (this.#waitingBytes >= flushAtBytes) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushEveryMs);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const pieces = this.#waiting;
    if (pieces.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#writing.then(() => this.#write(pieces));
  }

  /** Tries again while the database is away, as long as the lease may still be ours. */
  async #write(pieces: readonly Piece[]): Promise<void> {
    const giveUpAt = performance.now() + this.#lease.durationMs;
    let lines: string[] | null = null;
    const firstLine = this.#nextLine;
    while (!this.#isLost) {
      try {
        if (lines === null) {
          lines = (await this.#secrets.refresh())
            ? pieces.flatMap((piece) => this.#read(piece))
            : this.#withhold(pieces);
          this.#nextLine += lines.length;
        }
        if (lines.length > 0) this.#isLost = !(await this.#store.appendLog(this.#lease, firstLine, lines));
        return;
      } catch (error) {
        if (performance.now() > giveUpAt) {
          this.#onError(error);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  #read({ stream, timeMs, content }: Piece): string[] {
    const lines =
      content === null
        ? this.#readers[stream].end()
        : typeof content === 'string'
          ? [this.#secrets.mask.apply(content)]
          : this.#readers[stream].push(Buffer.from(content));
    return lines.map((line) => toLogLine(stream, timeMs, line));
  }

  /** Better no log than one with secrets in it. Said once. */
  #withhold([first]: readonly Piece[]): string[] {
    if (this.#isWithholding || first === undefined) return [];
    this.#isWithholding = true;
    return [toLogLine('stderr', first.timeMs, `[pademelon] ${withheld}`)];
  }
}

const withheld =
  'the rest of the log is withheld: the code has read a connection whose details its worker cannot open, and so cannot mask; tell the operator';

function toLogLine(stream: string, timeMs: number, text: string): string {
  return `${new Date(timeMs).toISOString()} ${stream} F ${text}`;
}
