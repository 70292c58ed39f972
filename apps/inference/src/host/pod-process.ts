import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { HostToPod, PodSpec, PodToHost } from '@pademelon/contracts';
import { readResidentBytes } from './resident-memory.ts';

/** Log records, and their rows, that a pod said it handed over. */
export interface LoggedCounts {
  readonly records: number;
  readonly rows: number;
}

/** How a pod's process came to its end. */
export interface PodEnd {
  /**
   * `drained`: it was asked to go. `refused`: the pod said that its spec cannot be served. `stuck`: it did not answer
   * while loading. `crashed`: anything else, the host's own kill included.
   */
  readonly kind: 'drained' | 'refused' | 'stuck' | 'crashed';
  /** A sentence for the user; empty for `drained`. */
  readonly reason: string;
}

export interface PodProcessOptions {
  /** Absolute path of the pod's main module. */
  readonly entry: string;
  readonly execArgv: readonly string[];
  readonly spec: PodSpec;
  /** Bytes of resident memory beyond which the process is killed; null for no limit. */
  readonly memoryBytes: number | null;
  /** Loading and warming up may take this long. */
  readonly loadDeadlineMs: number;
  readonly onReady: (ready: { port: number; loadMs: number }) => void;
  /** The process was told to end, by somebody else than its host. */
  readonly onLeaving: () => void;
  readonly onEnd: (end: PodEnd) => void;
}

/** How often memory and signs of life are looked at. */
const lookMs = 250;
/** A pod says every second that it is alive. */
const aliveIntervalMs = 1_000;

/**
 * One child process that serves one replica. It gets no environment of ours: no credentials, no settings. It is killed
 * when it uses too much memory or when its model blocks it for longer than one request may take, and it ends by itself
 * when we are gone, because its IPC channel closes.
 */
export class PodProcess {
  readonly #options: PodProcessOptions;
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  #logged: LoggedCounts = { records: 0, rows: 0 };
  #isReady = false;
  #isDraining = false;
  #hasEnded = false;
  /** Why we killed it, or what the pod said of its end. */
  #ending: PodEnd | null = null;
  /** Time without a sign of life. A pause of this process counts as one look, not as silence of the pod. */
  #silentMs = 0;
  #lastLookMs = performance.now();

  constructor(options: PodProcessOptions) {
    this.#options = options;
    this.#child = fork(options.entry, [], {
      execArgv: [...options.execArgv],
      env: { NODE_ENV: 'production', TZ: 'UTC' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'json',
    });
    if (this.#child.pid !== undefined) endEarlier(this.#child.pid);
    this.#child.on('message', (message: PodToHost) => this.#onMessage(message));
    // Not 'exit', which may be told before its last message is read.
    this.#child.once('close', (code, signal) => this.#onExit(code, signal));
    this.#child.on('error', (error) => {
      // Could not be started at all: there is no exit to wait for.
      if (this.#child.pid === undefined)
        this.#end({ kind: 'crashed', reason: `The pod could not start: ${error.message}.` });
    });
    this.#send({ type: 'load', spec: options.spec });
    this.#timer = setInterval(() => void this.#look(), lookMs);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** By its last sign of life. */
  get logged(): LoggedCounts {
    return this.#logged;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Lets the pod finish what it has and go; after `deadlineMs` it is killed. */
  drain(deadlineMs: number): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    if (!this.#isReady) {
      this.#child.kill('SIGKILL');
      return;
    }
    this.#send({ type: 'drain' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    this.#child.once('exit', () => clearTimeout(timer));
  }

  #send(message: HostToPod): void {
    // A pod that has just died cannot be told; its exit follows.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #onMessage(message: PodToHost): void {
    this.#silentMs = 0;
    if (message.type === 'ready') {
      this.#isReady = true;
      this.#options.onReady(message);
    } else if (message.type === 'alive') {
      this.#logged = { records: message.logged, rows: message.loggedRows };
    } else if (message.type === 'leaving') {
      this.#options.onLeaving();
    } else if (message.type === 'failed') {
      this.#ending ??= { kind: 'refused', reason: message.reason };
    }
  }

  async #look(): Promise<void> {
    const now = performance.now();
    this.#silentMs += Math.min(now - this.#lastLookMs, 2 * lookMs);
    this.#lastLookMs = now;
    const { loadDeadlineMs, memoryBytes, spec } = this.#options;
    const runDeadlineMs = spec.limits.runDeadlineMs;
    if (this.#isReady && this.#silentMs > runDeadlineMs + aliveIntervalMs) {
      this.#kill('crashed', `The model ran longer than the ${seconds(runDeadlineMs)} that one request may take.`);
    } else if (!this.#isReady && this.#silentMs > loadDeadlineMs) {
      this.#kill('stuck', `The model could not be loaded and run once within ${seconds(loadDeadlineMs)}.`);
    }
    if (memoryBytes === null || this.#child.pid === undefined) return;
    const residentBytes = await readResidentBytes(this.#child.pid);
    if (residentBytes > memoryBytes) {
      const used = `${megabytes(residentBytes)} of memory, more than its limit of ${megabytes(memoryBytes)}`;
      this.#kill('crashed', `The pod used ${used}.`);
    }
  }

  #kill(kind: PodEnd['kind'], reason: string): void {
    this.#ending ??= { kind, reason };
    this.#child.kill('SIGKILL');
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `status ${code}` : `signal ${signal}`;
    if (this.#isDraining && this.#ending === null) this.#end({ kind: 'drained', reason: '' });
    else this.#end(this.#ending ?? { kind: 'crashed', reason: `The pod's process ended with ${how}.` });
  }

  #end(end: PodEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#options.onEnd(end);
  }
}

/** When the machine has no memory left, the kernel ends a pod, which its host starts again, before us and the database. */
function endEarlier(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '500');
  } catch {
    // It has ended already, or the system has no such file: then the kernel chooses by size alone.
  }
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1_000} s`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
