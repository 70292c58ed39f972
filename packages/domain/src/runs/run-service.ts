import type { RunState } from '@pademelon/contracts';
import type { Caller } from '../caller.ts';
import { notFound } from '../domain-error.ts';
import { isUuid } from '../row-id.ts';
import type { Run } from './run.ts';
import type { LogLine, RunReader } from './run-reader.ts';
import { isFinal } from './run-state.ts';

const defaultRuns = 10;
const maxRuns = 1_000;
const defaultLines = 10_000;
const maxLines = 100_000;
const maxLogBytes = 16 * 1024 * 1024;
const followLimits = { lines: 1_000, bytes: 1024 * 1024 };

/** What comes of following a log: lines as they are written, and at last how the run ended. */
export type LogEvent =
  | { readonly kind: 'lines'; readonly lines: readonly LogLine[] }
  /** Nothing new at the moment: the follower may wait and tell its client that it is alive. */
  | { readonly kind: 'quiet' }
  | { readonly kind: 'end'; readonly run: Run };

/** Reading runs and their logs. Who moves them on are the workers, and the services of tasks by asking them to. */
export class RunService {
  readonly #reader: RunReader;

  constructor(reader: RunReader) {
    this.#reader = reader;
  }

  /** With `taskId` the run must be one of that task. */
  async get(caller: Caller, runId: string, taskId?: string): Promise<Run> {
    const run = isUuid(runId) ? await this.#reader.find(caller.userId, runId) : null;
    if (run === null || (taskId !== undefined && run.taskId !== taskId.toLowerCase())) throw notFound('run', runId);
    return run;
  }

  /** Newest first. */
  async list(
    caller: Caller,
    taskId: string,
    filter: { states?: readonly RunState[] | undefined; limit?: number | undefined } = {},
  ): Promise<Run[]> {
    const limit = Math.min(Math.max(filter.limit ?? defaultRuns, 0), maxRuns);
    const runs = isUuid(taskId)
      ? await this.#reader.listOfTask(caller.userId, taskId, { states: filter.states, limit })
      : null;
    if (runs === null) throw notFound('task', taskId);
    return runs;
  }

  /** The last lines, in the order in which they were written: at most 16 MiB of them. */
  async getLog(caller: Caller, runId: string, lines = defaultLines): Promise<string[]> {
    const run = await this.get(caller, runId);
    const limits = { lines: Math.min(Math.max(lines, 0), maxLines), bytes: maxLogBytes };
    return (await this.#reader.readLastLines(run.id, limits)).map((line) => line.text);
  }

  /**
   * Follows the log from a line number on until the run has ended and all of it was told, or until it is given up. After
   * `quiet` the caller decides how long to wait before it goes on.
   */
  async *followLog(caller: Caller, runId: string, from: number): AsyncGenerator<LogEvent> {
    for (let next = from; ; ) {
      // Asked before the lines: what is read after the end was seen is all there is.
      const run = await this.get(caller, runId);
      const lines = await this.#reader.readLinesFrom(run.id, next, followLimits);
      const last = lines.at(-1);
      if (last !== undefined) {
        next = last.number + 1;
        yield { kind: 'lines', lines };
      } else if (isFinal(run.state)) {
        yield { kind: 'end', run };
        return;
      } else yield { kind: 'quiet' };
    }
  }
}
