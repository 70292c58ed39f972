import { Answerer } from '../answerer.ts';
import { keepBatch } from '../batching/joined-rows.ts';
import { SideResults } from '../challengers/side-results.ts';
import { type Queue, type QueueOptions, type Refusal, type Work, waitedTooLong } from '../work.ts';

/**
 * For pipelines with Python steps: each request is on its own way through them, so that one can be in a script while
 * another is in a model. Each script has a line of its own; this thread is only held up by what it runs itself.
 */
export class ScriptQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #answerer: Answerer;
  readonly #results: SideResults;
  #underWay = 0;

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
    return this.#underWay;
  }

  add(work: Work): void {
    this.#underWay += 1;
    const afterwards: (() => void)[] = [];
    void this.#run(work, afterwards).then((answer) => {
      this.#underWay -= 1;
      this.#options.flushLog();
      if (answer !== null) work.connection.answer(answer);
      for (const act of afterwards) act();
    });
  }

  settled(): Promise<void> {
    return this.#results.settled();
  }

  refuse({ error, form, requestId, connection }: Refusal): void {
    connection.answer(this.#answerer.refuse({ form, requestId }, error));
  }

  /** Never rejects. Null: the caller is gone, takes no answer and leaves no record. What is done after it is put in `afterwards`. */
  async #run(
    { plan, body, requestId, connection, deadlineAtMs }: Work,
    afterwards: (() => void)[],
  ): Promise<Buffer | null> {
    const { dataPlane } = this.#options;
    const addressee = { form: plan.errorForm, requestId };
    try {
      if (!dataPlane.isPrepared(plan)) await dataPlane.prepare();
      if (performance.now() > deadlineAtMs) throw waitedTooLong();
      const read = dataPlane.read(plan, body);
      const request = { ...read, batch: keepBatch(read.batch) };
      const run = await this.#results.await(await dataPlane.runLater(request.batch));
      if (connection.isClosed) return null;
      return this.#answerer.answer(addressee, (writer) => this.#results.answer(request, run, writer, afterwards));
    } catch (error) {
      return connection.isClosed ? null : this.#answerer.refuse(addressee, error);
    }
  }
}
