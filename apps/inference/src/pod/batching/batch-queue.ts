import { Answerer } from '../answerer.ts';
import type { PipelineRun, ReadRequest } from '../data-plane.ts';
import {
  defaultTurnMs,
  type Queue,
  type QueueOptions,
  type Recipient,
  type Refusal,
  type Work,
  waitedTooLong,
} from '../work.ts';
import type { BatchingPolicy } from './batching-policy.ts';
import { cutFlow, joinBatches, keepBatch, layoutOf } from './joined-rows.ts';

/** A request that waits, its rows read. */
interface Waiting {
  readonly work: Work;
  readonly request: ReadRequest;
}

/** Requests that one run will answer. */
interface Batch {
  readonly waiting: Waiting[];
  rows: number;
  /** Ends the wait for more; null once it is over. */
  stopWaiting: (() => void) | null;
}

type Answers = [Recipient, Buffer][];

/**
 * Joins requests of the same columns into runs: a request is read as it comes and waits for others until there are
 * enough rows or its time is over. What cannot be read is refused at once and delays nobody. When a joined run fails,
 * its requests are run one by one, so that only the one at fault is told so.
 *
 * As in the plain queue, the records of a turn are handed over before its answers are sent.
 */
export class BatchQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #policy: BatchingPolicy;
  readonly #answerer: Answerer;
  /** Batches that wait for more, by the layout of their columns. */
  readonly #gathering = new Map<string, Batch>();
  #due: Batch[] = [];
  #waitingCount = 0;
  #isScheduled = false;

  constructor(options: QueueOptions, policy: BatchingPolicy) {
    this.#options = options;
    this.#policy = policy;
    this.#answerer = new Answerer(options);
  }

  get requests(): number {
    return this.#answerer.requests;
  }

  get errors(): number {
    return this.#answerer.errors;
  }

  get queued(): number {
    return this.#waitingCount;
  }

  add(work: Work): void {
    const { dataPlane, onFault } = this.#options;
    this.#waitingCount += 1;
    if (dataPlane.isPrepared(work.plan)) {
      this.#take(work);
      return;
    }
    dataPlane.prepare().then(
      () => this.#take(work),
      (error: unknown) => {
        onFault(error);
        this.#giveUp(work, error);
      },
    );
  }

  refuse({ error, form, requestId, connection }: Refusal): void {
    connection.answer(this.#answerer.refuse({ form, requestId }, error));
  }

  #take(work: Work): void {
    let waiting: Waiting;
    try {
      const request = this.#options.dataPlane.read(work.plan, work.body);
      waiting = { work, request: { ...request, batch: keepBatch(request.batch) } };
    } catch (error) {
      this.#giveUp(work, error);
      return;
    }
    const { batch } = waiting.request;
    const layout = layoutOf(batch);
    if (layout === null || batch.rowCount >= this.#policy.targetRows) {
      this.#schedule({ waiting: [waiting], rows: batch.rowCount, stopWaiting: null });
    } else {
      this.#gather(layout, waiting);
    }
  }

  #giveUp(work: Work, error: unknown): void {
    this.#waitingCount -= 1;
    this.refuse({ ...work, form: work.plan.errorForm, error });
  }

  #gather(layout: string, waiting: Waiting): void {
    const { targetRows, limitRows } = this.#policy;
    const { rowCount } = waiting.request.batch;
    let batch = this.#gathering.get(layout);
    if (batch !== undefined && batch.rows + rowCount > limitRows) {
      this.#close(layout, batch);
      batch = undefined;
    }
    if (batch === undefined) {
      batch = { waiting: [], rows: 0, stopWaiting: null };
      batch.stopWaiting = this.#closeLater(layout, batch);
      this.#gathering.set(layout, batch);
    }
    batch.waiting.push(waiting);
    batch.rows += rowCount;
    if (batch.rows >= targetRows) this.#close(layout, batch);
  }

  /** Timers wait for a millisecond at least; without a delay a batch is what comes in one turn of the event loop. */
  #closeLater(layout: string, batch: Batch): () => void {
    const { maxDelayMs } = this.#policy;
    const close = (): void => this.#close(layout, batch);
    if (maxDelayMs === 0) {
      const immediate = setImmediate(close);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(close, maxDelayMs);
    return () => clearTimeout(timer);
  }

  #close(layout: string, batch: Batch): void {
    batch.stopWaiting?.();
    batch.stopWaiting = null;
    this.#gathering.delete(layout);
    this.#schedule(batch);
  }

  #schedule(batch: Batch): void {
    this.#due.push(batch);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const endAtMs = performance.now() + (this.#options.turnMs ?? defaultTurnMs);
    const answers: Answers = [];
    let next = 0;
    do this.#answerBatch(this.#due[next++]!, answers);
    while (next < this.#due.length && performance.now() < endAtMs);
    this.#due = this.#due.slice(next);
    this.#isScheduled = this.#due.length > 0;
    if (this.#isScheduled) setImmediate(this.#turn);
    this.#options.flushLog();
    for (const [recipient, answer] of answers) recipient.answer(answer);
  };

  #answerBatch({ waiting }: Batch, answers: Answers): void {
    this.#waitingCount -= waiting.length;
    const nowMs = performance.now();
    const wanted: Waiting[] = [];
    for (const each of waiting) {
      const { plan, requestId, connection, deadlineAtMs } = each.work;
      // A caller who is gone takes no answer and leaves no record.
      if (connection.isClosed) continue;
      if (nowMs <= deadlineAtMs) wanted.push(each);
      else answers.push([connection, this.#answerer.refuse({ form: plan.errorForm, requestId }, waitedTooLong())]);
    }
    const run = wanted.length > 1 ? this.#runJoined(wanted) : null;
    let start = 0;
    for (const each of wanted) {
      const end = start + each.request.batch.rowCount;
      answers.push([each.work.connection, this.#answer(each, run && { ...run, flow: cutFlow(run.flow, start, end) })]);
      start = end;
    }
  }

  /** Null when the rows fail together: which request is at fault shows when each runs alone. */
  #runJoined(wanted: readonly Waiting[]): PipelineRun | null {
    try {
      return this.#options.dataPlane.run(joinBatches(wanted.map(({ request }) => request.batch)));
    } catch {
      return null;
    }
  }

  #answer({ work, request }: Waiting, run: PipelineRun | null): Buffer {
    const { dataPlane } = this.#options;
    const { requestId, plan } = work;
    return this.#answerer.answer({ form: plan.errorForm, requestId }, (writer) =>
      dataPlane.answer(request, run ?? dataPlane.run(request.batch), writer),
    );
  }
}
