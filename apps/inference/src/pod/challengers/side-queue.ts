import { Answerer } from '../answerer.ts';
import { keepBatch } from '../batching/joined-rows.ts';
import type { ReadRequest } from '../data-plane.ts';
import {
  defaultTurnMs,
  type Queue,
  type QueueOptions,
  type Recipient,
  type Refusal,
  type Work,
  waitedTooLong,
} from '../work.ts';
import { type AnswerableRun, SideResults } from './side-results.ts';

/** A request whose answering model has run. */
interface Answerable {
  readonly work: Work;
  readonly request: ReadRequest;
  readonly run: AnswerableRun;
}

/** What one turn of the event loop comes to. */
interface Turn {
  readonly answers: [Recipient, Buffer][];
  /** What is done when the answers are sent. */
  readonly afterwards: (() => void)[];
}

/**
 * For pipelines with challengers: the answering model runs as in the plain queue, and while an answer waits for results
 * that it is to tell, other requests run. Results that are only logged hold no answer up; the log is told how many
 * records will follow, so that it can count those of a pod that dies before.
 */
export class SideQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #answerer: Answerer;
  readonly #results: SideResults;
  #waiting: Work[] = [];
  #answerable: Answerable[] = [];
  /** Requests that wait for something that is not this thread. */
  #underWay = 0;
  #isScheduled = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#answerer = new Answerer(options);
    this.#results = new SideResults(options);
  }

  get requests(): number {
    return this.#answerer.requests;
  }

  get errors(): number {
    return this.#answerer.errors;
  }

  get queued(): number {
    return this.#waiting.length + this.#answerable.length + this.#underWay;
  }

  add(work: Work): void {
    const { dataPlane, onFault } = this.#options;
    if (dataPlane.isPrepared(work.plan)) {
      this.#waiting.push(work);
      this.#schedule();
      return;
    }
    this.#wait(dataPlane.prepare()).then(
      () => this.add(work),
      (error: unknown) => {
        onFault(error);
        this.refuse({ ...work, form: work.plan.errorForm, error });
      },
    );
  }

  refuse({ error, form, requestId, connection }: Refusal): void {
    connection.answer(this.#answerer.refuse({ form, requestId }, error));
  }

  settled(): Promise<void> {
    return this.#results.settled();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  /** Answers first: what they waited for has come. */
  readonly #turn = (): void => {
    this.#isScheduled = false;
    const endAtMs = performance.now() + (this.#options.turnMs ?? defaultTurnMs);
    const turn: Turn = { answers: [], afterwards: [] };
    const answerable = this.#answerable;
    this.#answerable = [];
    for (const each of answerable) this.#answer(each, turn);
    let next = 0;
    while (next < this.#waiting.length && (next === 0 || performance.now() < endAtMs)) {
      this.#start(this.#waiting[next++]!, turn);
    }
    this.#waiting = this.#waiting.slice(next);
    if (this.#waiting.length > 0) this.#schedule();
    this.#options.flushLog();
    for (const [recipient, answer] of turn.answers) recipient.answer(answer);
    for (const act of turn.afterwards) act();
  };

  #start(work: Work, turn: Turn): void {
    const { plan, requestId, connection } = work;
    const addressee = { form: plan.errorForm, requestId };
    // A caller who is gone takes no answer and leaves no record.
    if (connection.isClosed) return;
    if (performance.now() > work.deadlineAtMs) {
      turn.answers.push([connection, this.#answerer.refuse(addressee, waitedTooLong())]);
      return;
    }
    try {
      this.#run(work, turn);
    } catch (error) {
      turn.answers.push([connection, this.#answerer.refuse(addressee, error)]);
    }
  }

  #run(work: Work, turn: Turn): void {
    const { dataPlane } = this.#options;
    const read = dataPlane.read(work.plan, work.body);
    const request = { ...read, batch: keepBatch(read.batch) };
    const run = this.#results.await(dataPlane.run(request.batch));
    if (!(run instanceof Promise)) {
      this.#answer({ work, request, run }, turn);
      return;
    }
    void this.#wait(run).then((answerable) => {
      this.#answerable.push({ work, request, run: answerable });
      this.#schedule();
    });
  }

  #answer({ work, request, run }: Answerable, turn: Turn): void {
    const { plan, requestId, connection } = work;
    if (connection.isClosed) return;
    const answer = this.#answerer.answer({ form: plan.errorForm, requestId }, (writer) =>
      this.#results.answer(request, run, writer, turn.afterwards),
    );
    turn.answers.push([connection, answer]);
  }

  async #wait<T>(what: Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await what;
    } finally {
      this.#underWay -= 1;
    }
  }
}
