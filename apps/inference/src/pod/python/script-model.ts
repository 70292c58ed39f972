import type { Column, PodModel, PythonProgram } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { measureTree } from '@pademelon/workbench/processes';
import { OutputLog } from './output-log.ts';
import { decodeColumns, encodeFrame, type Frame } from './step-frames.ts';
import { StepProcess } from './step-process.ts';

export interface ScriptModelOptions {
  readonly model: Pick<PodModel, 'name'> & { readonly python: PythonProgram };
  /** From the moment that a request comes to the moment that its columns are there, waiting for others included. */
  readonly runDeadlineMs: number;
  /** Takes what the script prints, line by line. */
  readonly onLine: (line: string) => void;
}

interface Job {
  readonly pieces: readonly Uint8Array[];
  readonly resolve: (columns: Column[]) => void;
  readonly reject: (error: DomainError) => void;
  readonly timer: NodeJS.Timeout;
}

/** How often memory and the number of processes are looked at. */
const watchMs = 200;
const maxFrameBytes = 512 * 2 ** 20;
/** Before each further start when no request succeeded in between; the last one holds from then on. */
const restartDelaysMs = [0, 250, 1_000, 5_000] as const;

/**
 * A Python step: one process that serves one request after the other. A script that hangs, dies or takes too much is
 * ended and started anew, and only the request that it was at fails.
 */
export class ScriptModel {
  readonly #options: ScriptModelOptions;
  readonly #name: string;
  readonly #waiting: Job[] = [];
  readonly #started = Promise.withResolvers<void>();
  readonly #watch: NodeJS.Timeout;
  #process: StepProcess | null = null;
  /** `ending`: it was killed and has not ended yet. */
  #state: 'loading' | 'ready' | 'ending' = 'loading';
  #wasLoaded = false;
  #running: Job | null = null;
  #failedStarts = 0;
  /** Why the last start failed, a sentence; requests are told while there is no process. */
  #loadFailure: string | null = null;
  #loadTimer: NodeJS.Timeout | undefined;
  #startTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: ScriptModelOptions) {
    this.#options = options;
    this.#name = `The script of model ${JSON.stringify(options.model.name)}`;
    this.#watch = setInterval(() => this.#look(), watchMs);
    this.#started.promise.catch(() => undefined);
    this.#start();
  }

  /** Resolves when the script was loaded for the first time. Throws `model_rejected` with the reason when it cannot be. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * The columns that the script makes of these, which must not change meanwhile. Throws `model_rejected` with the text
   * of its exception, `deadline_exceeded`, and `unavailable` when its process died.
   */
  run(columns: readonly Column[], rowCount: number): Promise<Column[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(job), this.#options.runDeadlineMs);
      const job: Job = { pieces: encodeFrame({ rows: rowCount }, columns), resolve, reject, timer };
      this.#waiting.push(job);
      this.#next();
    });
  }

  /** Ends the process; requests that still wait fail. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#watch);
    clearTimeout(this.#startTimer);
    this.#process?.kill('was stopped');
    this.#refuseWaiting(new DomainError('unavailable', `${this.#name} was stopped.`));
  }

  #start(): void {
    const { model, onLine } = this.#options;
    const { loadDeadlineMs } = model.python.limits;
    const output = new OutputLog({ write: onLine, now: () => performance.now() });
    this.#state = 'loading';
    this.#wasLoaded = false;
    const process = new StepProcess({
      launch: model.python.launch,
      maxFrameBytes,
      onOutput: (bytes) => output.push(bytes),
      onFrame: (frame) => this.#onFrame(frame),
      onEnd: (how) => {
        output.end();
        this.#onEnd(how);
      },
    });
    this.#process = process;
    this.#loadTimer = setTimeout(
      () => this.#kill(`was ended, because it was not loaded within ${loadDeadlineMs / 1_000} s`),
      loadDeadlineMs,
    );
  }

  #next(): void {
    if (this.#state !== 'ready' || this.#running !== null) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    this.#running = job;
    this.#process!.send(job.pieces);
  }

  #onFrame(frame: Frame): void {
    const error = frame.header['error'];
    if (this.#state === 'loading') {
      this.#onLoaded(typeof error === 'string' ? error : null);
      return;
    }
    const job = this.#take();
    if (job === null) return;
    this.#failedStarts = 0;
    if (typeof error === 'string') {
      job.reject(new DomainError('model_rejected', `${this.#name} failed on this input: ${error}`));
    } else {
      try {
        job.resolve(decodeColumns(frame));
      } catch (cause) {
        job.reject(new DomainError('model_rejected', `${this.#name} gave columns that cannot be read.`, { cause }));
      }
    }
    this.#next();
  }

  #onLoaded(error: string | null): void {
    clearTimeout(this.#loadTimer);
    if (error !== null) {
      this.#loadFailure = `${this.#name} cannot be loaded: ${error}`;
      return;
    }
    this.#state = 'ready';
    this.#wasLoaded = true;
    this.#loadFailure = null;
    this.#started.resolve();
    this.#next();
  }

  #onEnd(how: string): void {
    clearTimeout(this.#loadTimer);
    const wasReady = this.#wasLoaded;
    this.#process = null;
    this.#state = 'loading';
    if (this.#isStopped) return;
    if (!wasReady) this.#loadFailure ??= `${this.#name} cannot be loaded: its process ${how}.`;
    this.#take()?.reject(new DomainError('unavailable', `${this.#name} gave no answer: its process ${how}.`));
    if (!wasReady) {
      const failure = new DomainError('model_rejected', this.#loadFailure!);
      this.#started.reject(failure);
      this.#refuseWaiting(failure);
    }
    const delayMs = restartDelaysMs[Math.min(this.#failedStarts, restartDelaysMs.length - 1)]!;
    this.#failedStarts += 1;
    this.#startTimer = setTimeout(() => this.#start(), delayMs);
  }

  #expire(job: Job): void {
    const limit = `${this.#options.runDeadlineMs / 1_000} s that one request may take`;
    if (job === this.#running) {
      this.#take();
      job.reject(new DomainError('deadline_exceeded', `${this.#name} ran longer than the ${limit}.`));
      this.#kill(`was ended, because it ran longer than the ${limit}`);
      return;
    }
    this.#waiting.splice(this.#waiting.indexOf(job), 1);
    const told = this.#loadFailure ?? `${this.#name} was busy with other requests for the ${limit}.`;
    job.reject(new DomainError('deadline_exceeded', told));
  }

  #kill(how: string): void {
    this.#state = 'ending';
    this.#process?.kill(how);
  }

  /** The job that the process is at, which is its no longer. */
  #take(): Job | null {
    const job = this.#running;
    this.#running = null;
    if (job !== null) clearTimeout(job.timer);
    return job;
  }

  #refuseWaiting(error: DomainError): void {
    for (const job of [this.#take(), ...this.#waiting.splice(0)]) {
      if (job === null) continue;
      clearTimeout(job.timer);
      job.reject(error);
    }
  }

  #look(): void {
    const process = this.#process;
    if (process?.pid === undefined) return;
    const { memoryBytes, processes } = this.#options.model.python.limits;
    const used = measureTree(process.pid, processes);
    if (used.memoryBytes > memoryBytes) {
      this.#kill(`was ended, because it used more than its ${Math.round(memoryBytes / 2 ** 20)} MiB of memory`);
    } else if (used.processes > processes) {
      this.#kill(`was ended, because it had more than ${processes} processes`);
    }
  }
}
