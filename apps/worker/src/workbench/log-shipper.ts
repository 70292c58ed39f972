import type { RunLease, RunStore } from '@pademelon/domain';
import type { SecretMask } from '@pademelon/workbench';
import { LogLines } from '@pademelon/workbench';

const flushEveryMs = 200;
const flushAtCharacters = 64 * 1024;

/**
 * Turns a run's output into log lines `<ISO time> <stream> F <text>` (the shape that the SDK's display takes apart) and
 * writes them to the run while it goes on. Lines are numbered; a chunk that was written is never written again. When
 * the lease is lost nothing more is written.
 */
export class LogShipper {
  readonly #store: Pick<RunStore, 'appendLog'>;
  readonly #lease: RunLease;
  readonly #readers: Readonly<Record<'stdout' | 'stderr', LogLines>>;
  readonly #onError: (error: unknown) => void;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  readonly #mask: SecretMask;
  #nextLine: number;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isLost = false;

  constructor(options: {
    store: Pick<RunStore, 'appendLog'>;
    lease: RunLease;
    mask: SecretMask;
    /** Number of the first line: after those of earlier attempts. */
    firstLine: number;
    onError: (error: unknown) => void;
  }) {
    this.#store = options.store;
    this.#lease = options.lease;
    this.#nextLine = options.firstLine;
    this.#mask = options.mask;
    this.#readers = { stdout: new LogLines(options.mask), stderr: new LogLines(options.mask) };
    this.#onError = options.onError;
  }

  output(stream: 'stdout' | 'stderr', timeMs: number, bytes: Uint8Array): void {
    this.#add(stream, timeMs, this.#readers[stream].push(Buffer.from(bytes)));
  }

  /** A line of the platform's own, for example why something was refused: it may repeat what the code asked for. */
  say(timeMs: number, text: string): void {
    this.#add('stderr', timeMs, [`[pademelon] ${this.#mask.apply(text)}`]);
  }

  /** No more output comes: a last line without an end counts as one, before what the platform says about it. */
  endOutput(timeMs: number): void {
    for (const stream of ['stdout', 'stderr'] as const) this.#add(stream, timeMs, this.#readers[stream].end());
  }

  /** Writes everything that is left. False when the lease was lost on the way. */
  async end(timeMs: number): Promise<boolean> {
    this.endOutput(timeMs);
    this.#flush();
    await this.#writing;
    return !this.#isLost;
  }

  #add(stream: 'stdout' | 'stderr', timeMs: number, lines: readonly string[]): void {
    if (lines.length === 0) return;
    const prefix = `${new Date(timeMs).toISOString()} ${stream} F `;
    for (const line of lines) {
      this.#waiting.push(prefix + line);
      this.#waitingCharacters += line.length;
    }
    if (this.#waitingCharacters >= flushAtCharacters) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushEveryMs);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    this.#waitingCharacters = 0;
    const firstLine = this.#nextLine;
    this.#nextLine += lines.length;
    this.#writing = this.#writing.then(() => this.#write(firstLine, lines));
  }

  /** Tries again while the database is away, as long as the lease may still be ours. */
  async #write(firstLine: number, lines: readonly string[]): Promise<void> {
    const giveUpAt = performance.now() + this.#lease.durationMs;
    while (!this.#isLost) {
      try {
        this.#isLost = !(await this.#store.appendLog(this.#lease, firstLine, lines));
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
}
