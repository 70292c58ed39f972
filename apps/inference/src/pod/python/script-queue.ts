import { Answerer } from '../answerer.ts';
import { keepBatch } from '../batching/joined-rows.ts';
import { settleSide } from '../challengers/settle-side.ts';
import { type Queue, type QueueOptions, type Refusal, type Work, waitedTooLong } from '../work.ts';

/**
 * For pipelines with Python steps: each request is on its own way through them, so that one can be in a script while
 * another is in a model. Each script has a line of its own; this thread is only held up by what it runs itself.
 */
export class ScriptQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #answerer: Answerer;
  #underWay = 0;

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
    return this.#underWay;
  }

  add(work: Work): void {
    this.#underWay += 1;
    void this.#run(work).then((answer) => {
      this.#underWay -= 1;
      this.#options.flushLog();
      if (answer !== null) work.connection.answer(answer);
    });
  }

  refuse({ error, form, requestId, connection }: Refusal): void {
    connection.answer(this.#answerer.refuse({ form, requestId }, error));
  }

  /** Never rejects. Null: the caller is gone, takes no answer and leaves no record. */
  async #run({ plan, body, requestId, connection, deadlineAtMs }: Work): Promise<Buffer | null> {
    const { dataPlane } = this.#options;
    const addressee = { form: plan.errorForm, requestId };
    try {
      if (!dataPlane.isPrepared(plan)) await dataPlane.prepare();
      if (performance.now() > deadlineAtMs) throw waitedTooLong();
      const read = dataPlane.read(plan, body);
      const request = { ...read, batch: keepBatch(read.batch) };
      const { flow, runNs } = await dataPlane.runLater(request.batch);
      const sides = await Promise.all((flow.sides ?? []).map(settleSide));
      if (connection.isClosed) return null;
      return this.#answerer.answer(addressee, (writer) => dataPlane.answer(request, { flow, runNs, sides }, writer));
    } catch (error) {
      return connection.isClosed ? null : this.#answerer.refuse(addressee, error);
    }
  }
}
