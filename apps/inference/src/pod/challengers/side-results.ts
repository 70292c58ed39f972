import type { ByteWriter } from '../codecs/byte-writer.ts';
import type { AnswerForm, OpenRecord, PipelineRun, ReadRequest, SettledSide } from '../data-plane.ts';
import type { SideResult } from '../pipeline-steps/pipeline-step.ts';
import type { QueueOptions } from '../work.ts';
import { settleSide } from './settle-side.ts';
import { WaitAllowance } from './wait-allowance.ts';

/** A run whose answer need not wait any longer. */
export interface AnswerableRun extends PipelineRun {
  /** What the answer tells of results beside it. */
  readonly sides: readonly SettledSide[];
  /** The results that its record waits for; empty where it is complete with the answer. */
  readonly owed: readonly SideResult[];
}

/**
 * What becomes of results beside the answering model: an answer waits for those that it is to tell, but not for slow ones,
 * and those that are there later, or are only logged, go into its record.
 */
export class SideResults {
  readonly #options: Pick<QueueOptions, 'dataPlane' | 'flushLog'>;
  readonly #allowance = new WaitAllowance();
  readonly #openRecords = new Set<Promise<void>>();

  constructor(options: Pick<QueueOptions, 'dataPlane' | 'flushLog'>) {
    this.#options = options;
  }

  /** To be called when the answering model has just run. A promise only where there is something to wait for. */
  await({ flow, runNs }: PipelineRun): AnswerableRun | Promise<AnswerableRun> {
    const { sides = [] } = flow;
    const answered = sides.filter(({ isAnswered }) => isAnswered);
    if (answered.length === 0) return { flow, runNs, sides: [], owed: sides };
    return this.#waitFor(answered, (runNs / 1e6) * answered.length).then((settled) => {
      const isComplete = settled.every((side) => side !== null) && answered.length === sides.length;
      const told = settled.map((side, at) => side ?? { ...answered[at]!, outputs: null });
      return { flow, runNs, sides: told, owed: isComplete ? [] : sides };
    });
  }

  /**
   * Writes the answer and tells what its head must say. Where the record waits for results, what is put in `afterwards`
   * logs it, and is to be done when the answer is sent.
   */
  answer(request: ReadRequest, run: AnswerableRun, writer: ByteWriter, afterwards: (() => void)[]): AnswerForm {
    const { dataPlane } = this.#options;
    if (run.owed.length === 0) return dataPlane.answer(request, run, writer);
    const { form, record } = dataPlane.answerUnlogged(request, run, writer);
    afterwards.push(() => this.#log(record, run.owed));
    return form;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#openRecords);
  }

  /** When all that the record waits for is there or will not come. */
  #log(record: OpenRecord, owed: readonly SideResult[]): void {
    const logged = Promise.all(owed.map(settleSide)).then((settled) => {
      this.#options.dataPlane.logOwed(record, settled);
      this.#options.flushLog();
      this.#openRecords.delete(logged);
    });
    this.#openRecords.add(logged);
  }

  /** Null in place of what is not there in time. */
  async #waitFor(sides: readonly SideResult[], championMs: number): Promise<(SettledSide | null)[]> {
    const startedAtMs = performance.now();
    const { freeMs, waitMs } = this.#allowance.grant(startedAtMs, championMs);
    const settled = sides.map((): SettledSide | null => null);
    const all = Promise.all(
      sides.map(async (side, at) => {
        settled[at] = await settleSide(side);
      }),
    ).then(() => this.#allowance.learn(performance.now() - startedAtMs));
    await within(waitMs, all);
    this.#allowance.spend(performance.now() - startedAtMs, freeMs);
    return [...settled];
  }
}

/**
 * Resolves with the promise or after some time; what came while this thread was busy is read before. No timer for no time:
 * its least is a millisecond, which is several answers.
 */
function within(ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0) {
      setImmediate(resolve);
      return;
    }
    const timer = setTimeout(() => setImmediate(resolve), ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
