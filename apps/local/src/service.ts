import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { StartedMessage } from '@pademelon/runtime';

export interface ServiceOptions {
  readonly name: string;
  /** The program's main file. */
  readonly program: string;
  readonly nodeFlags: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Gets each line that the service writes. */
  readonly onLine: (line: string, isError: boolean) => void;
  /** Told in words what happened when the service ended by itself. */
  readonly onEnded: (sentence: string) => void;
}

const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A service that ran this long was well: its next end is a new accident, not a part of the last one. */
const settledAfterMs = 30_000;
/** So many ends in a row without having started, and the service is given up at the start of the stack. */
const startAttempts = 3;
/** What a service gets to stop beyond the time after which it ends itself. */
const stopMarginMs = 2_000;

/**
 * One child process that is kept running: started again, after a growing pause, whenever it ends by itself. It leads a
 * process group of its own, so that Ctrl-C in a terminal does not reach it and its own children end with it; its IPC
 * channel tells it when this process is gone.
 */
export class Service {
  readonly name: string;
  /** Resolves when the service has started for the first time; rejects when it cannot start at all. */
  readonly started: Promise<void>;
  readonly #options: ServiceOptions;
  readonly #start: PromiseWithResolvers<void> = Promise.withResolvers();
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #failedStarts = 0;
  #hasStarted = false;
  /** Until it has started and told its own. */
  #stopDeadlineMs = 15_000;
  #isStopping = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.name = options.name;
    this.started = this.#start.promise;
    this.started.catch(() => undefined);
  }

  start(): void {
    const { program, nodeFlags, environment } = this.#options;
    const child = fork(program, [], {
      execArgv: [...nodeFlags],
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#child = child;
    const startedAt = performance.now();
    let lastError = '';
    this.#read(child.stdout, false);
    this.#read(child.stderr, true, (line) => {
      lastError = line;
    });
    child.on('message', (message: StartedMessage) => {
      if (message.type !== 'started') return;
      this.#hasStarted = true;
      this.#stopDeadlineMs = message.stopDeadlineMs;
      this.#start.resolve();
    });
    // A process that could not even be made: told like one that ended.
    child.once('error', (error) => {
      if (child.pid === undefined) this.#ended(`could not be started: ${error.message}`, 0);
    });
    // What it started goes first: it may hold the pipes open, and with them the news of the end.
    child.once('exit', () => endGroup(child));
    child.once('close', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `ended with status ${code}`;
      this.#ended(lastError && code ? `${how}: ${lastError}` : how, performance.now() - startedAt);
    });
  }

  /** Orderly stop; after its deadline the whole group is killed. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    const deadline = setTimeout(() => this.kill(), this.#stopDeadlineMs + stopMarginMs);
    await closed;
    clearTimeout(deadline);
  }

  /** Ends the service and all its children at once. */
  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    if (this.#child) endGroup(this.#child);
  }

  #ended(how: string, ranMs: number): void {
    if (this.#isStopping) return;
    if (!this.#hasStarted) {
      this.#failedStarts += 1;
      if (this.#failedStarts >= startAttempts) this.#start.reject(new Error(`The service "${this.name}" ${how}.`));
    }
    if (ranMs > settledAfterMs) this.#pauseMs = firstPauseMs;
    this.#options.onEnded(`${how}; starting it again in ${this.#pauseMs / 1000} s`);
    this.#restart = setTimeout(() => this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #read(stream: Readable | null, isError: boolean, onLine?: (line: string) => void): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      onLine?.(line);
      this.#options.onLine(line, isError);
    });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Kills what is left of the child's group. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
