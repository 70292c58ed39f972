import type { HistoryEntry, HistoryWord } from './history.ts';
import type { RunRecord } from './run-records.ts';

export interface CheckedHistory {
  /** Tasks that the API answered with 201. */
  readonly accepted: readonly string[];
  readonly runs: readonly RunRecord[];
  readonly entries: readonly HistoryEntry[];
}

const finalStates = new Set(['success', 'failure', 'killed', 'timed_out']);

/** The clock of the code counts whole milliseconds, and its last word may be on its way when the run is ended. */
const afterlifeMs = 100;

/**
 * Compares what the platform says of its runs with what their code said, and with what callers were promised. Gives one
 * sentence for each broken promise; none when all were kept.
 */
export function checkHistory({ accepted, runs, entries }: CheckedHistory): string[] {
  const ordered = new Set(runs.map(({ taskId }) => taskId));
  const known = new Map(runs.map((run) => [run.id, run]));
  return [
    ...accepted.filter((task) => !ordered.has(task)).map((task) => `the task ${task} was accepted and is lost`),
    ...entries.filter(({ runId }) => !known.has(runId)).map(({ runId }) => `code ran for ${runId}, which is not there`),
    ...runs.flatMap((run) => {
      const said = entries.filter(({ runId }) => runId === run.id);
      return checkRun(run, said).map((fault) => `${run.label} (${run.id}, ${run.state} ${run.reason}): ${fault}`);
    }),
  ];
}

function checkRun(run: RunRecord, said: readonly HistoryEntry[]): string[] {
  if (!finalStates.has(run.state)) return ['it has not come to an end'];
  const faults: string[] = [];
  const count = (word: HistoryWord, attempt: number): number =>
    said.filter((entry) => entry.word === word && entry.attempt === attempt).length;
  for (let attempt = 1; attempt <= run.attempt; attempt += 1) {
    if (count('START', attempt) > 1) faults.push(`attempt ${attempt} was started ${count('START', attempt)} times`);
    if (count('END', attempt) > count('START', attempt)) faults.push(`attempt ${attempt} ended without a start`);
  }
  if (said.some(({ attempt }) => attempt < 1 || attempt > run.attempt)) faults.push('an attempt ran that was not its');
  if (run.attempt > run.maxAttempts) faults.push(`it had ${run.attempt} attempts of ${run.maxAttempts}`);
  const ends = run.events.filter((event) => event.startsWith('finished')).length;
  if (ends !== 1) faults.push(`it was finished ${ends} times`);
  const late = said.find(({ atMs }) => atMs > (run.finishedAtMs ?? 0) + afterlifeMs);
  if (late !== undefined) faults.push(`its code said ${late.word} after its end`);
  if (run.state === 'success')
    faults.push(...checkSuccess(run, count('START', run.attempt), count('END', run.attempt)));
  return faults;
}

function checkSuccess(run: RunRecord, starts: number, ends: number): string[] {
  const faults: string[] = [];
  if (starts !== 1 || ends !== 1) faults.push(`it succeeded with ${starts} starts and ${ends} ends`);
  const wanted = Array.from({ length: run.beats }, (_, beat) => `beat ${beat}`);
  // Lines of an attempt that was lost may stand before those of the one that succeeded.
  const lines = run.lines.slice(-run.beats || run.lines.length);
  if (lines.join() !== wanted.join()) faults.push(`its log says ${run.lines.join(', ')}`);
  if (run.attempt === 1 && run.lines.length !== run.beats) faults.push(`its log has ${run.lines.length} lines`);
  return faults;
}
