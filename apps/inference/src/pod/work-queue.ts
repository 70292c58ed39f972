import { releaseMemory } from '@pademelon/runtime/release-memory';
import { Answerer } from './answerer.ts';
import {
  defaultTurnMs,
  type Queue,
  type QueueOptions,
  type Recipient,
  type Refusal,
  type Work,
  waitedTooLong,
} from './work.ts';

/**
 * Runs requests one after the other and answers those of one turn of the event loop together: first all log records go
 * to the host in one write, then the answers to their callers. A caller therefore never holds an answer whose record
 * could still be lost with this process.
 */
export class WorkQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #answerer: Answerer;
  #waiting: Work[] = [];
  #next = 0;
  #preparing = 0;
  #isScheduled = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#answerer = new Answerer(options);
  }

  get requests(): number {
    return this.#answerer.requests;
  }

  get errors(): number {
    return this.#answerer.errors;
  }

  get queued(): number {
    return this.#waiting.length - this.#next + this.#preparing;
  }

  add(work: Work): void {
    const { dataPlane, onFault } = this.#options;
    if (dataPlane.isPrepared(work.plan)) {
      this.#enqueue(work);
      return;
    }
    this.#preparing += 1;
    dataPlane.prepare().then(
      () => {
        this.#preparing -= 1;
        this.#enqueue(work);
      },
      (error: unknown) => {
        this.#preparing -= 1;
        onFault(error);
        this.refuse({ ...work, form: work.plan.errorForm, error });
      },
    );
  }

  refuse({ error, form, requestId, connection }: Refusal): void {
    connection.answer(this.#answerer.refuse({ form, requestId }, error));
  }

  #enqueue(work: Work): void {
    this.#waiting.push(work);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    let nowMs = performance.now();
    const endAtMs = nowMs + (this.#options.turnMs ?? defaultTurnMs);
    const answers: [Recipient, Buffer][] = [];
    do {
      const work = this.#waiting[this.#next++]!;
      // A caller who is gone takes no answer and leaves no record.
      if (!work.connection.isClosed) answers.push([work.connection, this.#run(work, nowMs)]);
      nowMs = performance.now();
    } while (this.#next < this.#waiting.length && nowMs < endAtMs);
    this.#isScheduled = this.#next < this.#waiting.length;
    if (this.#isScheduled) setImmediate(this.#turn);
    else this.#waiting = [];
    if (!this.#isScheduled) this.#next = 0;
    this.#options.flushLog();
    for (const [recipient, answer] of answers) recipient.answer(answer);
  };

  #run({ plan, body, requestId, deadlineAtMs }: Work, nowMs: number): Buffer {
    const addressee = { form: plan.errorForm, requestId };
    if (nowMs > deadlineAtMs) return this.#answerer.refuse(addressee, waitedTooLong());
    const answer = this.#answerer.answer(addressee, (writer) => this.#options.dataPlane.infer(plan, body, writer));
    // Answer and log record have their own copies of what they took from it.
    releaseMemory(body);
    return answer;
  }
}
