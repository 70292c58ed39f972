import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Column, PodModel } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { readResidentBytes } from '../../host/resident-memory.ts';
import type { Challenger, Flow, SideOutputs } from '../pipeline-steps/pipeline-step.ts';
import type { ChallengerToPod, PodToChallenger } from './challenger-protocol.ts';
import { Patience, type PatienceOptions } from './patience.ts';

export interface ChallengerOptions extends PatienceOptions {
  readonly model: PodModel;
  readonly threads: number;
  readonly inputNames: readonly (readonly string[])[];
  /** Absolute path of challenger-main. */
  readonly entry: string;
  /** How long the pod may wait for it before it serves without. */
  readonly loadWaitMs: number;
  /** How long a result is waited for. */
  readonly budgetMs: number;
  /** A run that takes longer ends the process. */
  readonly runDeadlineMs: number;
  /** Bytes of resident memory beyond which the process is ended; null for no limit. */
  readonly memoryBytes: number | null;
  /** Told in a sentence of what went wrong. */
  readonly onTrouble: (sentence: string) => void;
}

/** What the settings of a challenger are where nobody says otherwise; docs/decisions/0014 says why. */
export const challengerDefaults = { loadWaitMs: 10_000, budgetMs: 500, pauseMs: 1_000, maxPauseMs: 60_000 } as const;

/** Requests that a challenger may owe results of, and bytes of their rows; what is more is not given to it. */
const maxOwed = 64;
const maxOwedBytes = 32 * 1024 * 1024;
const lookMs = 250;
const firstRestartMs = 500;
const maxRestartMs = 60_000;
/** A process that has lived this long has recovered. */
const healthyMs = 10_000;

interface Owed {
  readonly sentAtMs: number;
  readonly bytes: number;
  /** Its time is over: nobody waits for it any more. */
  isLate: boolean;
  /** Only the first call counts: what comes later than the record could wait is for nobody. */
  readonly settle: (outputs: SideOutputs) => void;
}

/**
 * A model in a process of its own, which yields the processor to the pod. Started again, ever more slowly, whenever it
 * ends; until then, and while it is late, its results are simply missing.
 */
export class ChallengerProcess implements Challenger {
  readonly #options: ChallengerOptions;
  readonly #patience: Patience;
  readonly #owed = new Map<number, Owed>();
  readonly #firstLoad = Promise.withResolvers<void>();
  readonly #loadTimer: NodeJS.Timeout;
  readonly #timer: NodeJS.Timeout;
  #child: ChildProcess | null = null;
  #restarting: NodeJS.Timeout | null = null;
  #restartMs = firstRestartMs;
  #startedAtMs = 0;
  #isReady = false;
  #isStopped = false;
  #nextId = 0;
  #owedBytes = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ChallengerOptions) {
    this.#options = options;
    this.#patience = new Patience(options);
    this.#timer = setInterval(() => void this.#look(), lookMs);
    // Whoever starts it waits for this; if nobody does, a refusal is no fault of the pod.
    this.#firstLoad.promise.catch(() => undefined);
    this.#loadTimer = setTimeout(() => this.#firstLoad.resolve(), options.loadWaitMs);
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Resolves when the model is loaded for the first time, or when it ends or takes too long over it: the pod need not wait
   * for it. Rejects with a DomainError when the model cannot be served at all, so that a deploy says so.
   */
  ready(): Promise<void> {
    return this.#firstLoad.promise;
  }

  run({ rowCount, columns, isChained }: Pick<Flow, 'columns' | 'rowCount' | 'isChained'>): Promise<SideOutputs> {
    const sentAtMs = performance.now();
    const bytes = columns.reduce((sum, column) => sum + bytesOf(column), 0);
    if (!this.#mayAsk(sentAtMs, bytes)) return Promise.resolve(null);
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<SideOutputs>();
    // A result that came while the answering model kept this thread busy is read before the judgement.
    const timer = setTimeout(() => setImmediate(() => this.#beLate(id)), this.#options.budgetMs);
    const settle = (outputs: SideOutputs): void => {
      clearTimeout(timer);
      resolve(outputs);
    };
    this.#owed.set(id, { sentAtMs, bytes, isLate: false, settle });
    this.#owedBytes += bytes;
    this.#send({ type: 'run', id, rowCount, isChained, columns });
    return promise;
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#loadTimer);
    if (this.#restarting !== null) clearTimeout(this.#restarting);
    this.#child?.kill('SIGKILL');
    this.#settleAll();
  }

  #mayAsk(nowMs: number, bytes: number): boolean {
    if (!this.#isReady || this.#owed.size >= maxOwed || !this.#patience.mayAsk(nowMs)) return false;
    const [oldest] = this.#owed.values();
    if (oldest === undefined) return true;
    // One that is late with a result is late with the next one too.
    return !oldest.isLate && this.#owedBytes + bytes <= maxOwedBytes;
  }

  #start(): void {
    const { entry, model, threads, inputNames } = this.#options;
    this.#startedAtMs = performance.now();
    const child = fork(entry, [String(process.pid)], {
      env: { NODE_ENV: 'production', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    child.on('message', (message: ChallengerToPod) => this.#onMessage(message));
    // Not 'exit', which may be told before its last message is read.
    child.once('close', (code, signal) => this.#onExit(signal ?? `status ${code}`));
    child.on('error', (error) => {
      // Could not be started at all: there is no exit to wait for.
      if (child.pid === undefined) this.#onExit(error.message);
    });
    if (child.pid !== undefined) yieldProcessor(child.pid);
    this.#send({ type: 'load', model, threads, inputNames });
  }

  #send(message: PodToChallenger): void {
    // One that has just died cannot be told; its exit follows.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  #onMessage(message: ChallengerToPod): void {
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        this.#firstLoad.resolve();
        break;
      case 'refused':
        this.#firstLoad.reject(new DomainError('model_rejected', message.reason));
        break;
      case 'outputs':
        if (this.#take(message.id, message.columns)) this.#patience.wasInTime();
        break;
      case 'failed':
        // A model that refuses some rows is not a slow one: it is asked again with the next ones.
        this.#take(message.id, null);
        this.#tellFailure(message.reason);
        break;
    }
  }

  /** Whether the result came before its time was over. */
  #take(id: number, outputs: SideOutputs): boolean {
    const owed = this.#owed.get(id);
    if (owed === undefined) return false;
    this.#owed.delete(id);
    this.#owedBytes -= owed.bytes;
    owed.settle(outputs);
    return !owed.isLate;
  }

  #beLate(id: number): void {
    const owed = this.#owed.get(id);
    if (owed === undefined) return;
    owed.isLate = true;
    const nowMs = performance.now();
    if (this.#patience.mayAsk(nowMs)) {
      this.#options.onTrouble(
        `${this.#title} gave no result within ${this.#options.budgetMs} ms; it is not asked for a while.`,
      );
    }
    this.#patience.wasLate(nowMs);
    owed.settle(null);
  }

  async #look(): Promise<void> {
    const { runDeadlineMs, memoryBytes } = this.#options;
    // Messages are answered in order, so the first one owed has waited longest.
    const [oldest] = this.#owed.values();
    if (oldest !== undefined && performance.now() - oldest.sentAtMs > runDeadlineMs) {
      this.#end(`ran longer than the ${runDeadlineMs / 1_000} s that one request may take`);
    }
    const pid = this.#child?.pid;
    if (memoryBytes === null || pid === undefined) return;
    if ((await readResidentBytes(pid)) > memoryBytes) this.#end('used more memory than the deployment allows it');
  }

  #end(why: string): void {
    this.#options.onTrouble(`${this.#title} ${why} and was ended.`);
    this.#child?.kill('SIGKILL');
  }

  #onExit(how: string): void {
    this.#child = null;
    this.#isReady = false;
    this.#settleAll();
    if (this.#isStopped) return;
    this.#firstLoad.resolve();
    const hasRecovered = performance.now() - this.#startedAtMs > healthyMs;
    const delayMs = hasRecovered ? firstRestartMs : this.#restartMs;
    this.#restartMs = Math.min(maxRestartMs, delayMs * 2);
    this.#options.onTrouble(`${this.#title} ended with ${how}; it is started again in ${delayMs} ms.`);
    this.#restarting = setTimeout(() => this.#start(), delayMs);
  }

  #settleAll(): void {
    for (const { settle } of this.#owed.values()) settle(null);
    this.#owed.clear();
    this.#owedBytes = 0;
  }

  /** At most one a second: each request may fail. */
  #tellFailure(sentence: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < 1_000) return;
    this.#toldAtMs = nowMs;
    this.#options.onTrouble(sentence);
  }

  get #title(): string {
    return `The challenger ${JSON.stringify(this.#options.model.name)}`;
  }
}

/** An upper bound for texts: three bytes for each UTF-16 unit. */
function bytesOf({ values }: Column): number {
  if (ArrayBuffer.isView(values)) return values.byteLength;
  return values.reduce((sum, text) => sum + 4 + 3 * text.length, 0);
}

function yieldProcessor(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system has no priorities: it runs like the others then.
  }
}
