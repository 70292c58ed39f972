import type { RunState, SdkGeneration, TaskStatus } from '@pademelon/contracts';

/**
 * Both SDKs stop at a status word that is not in their list. Until a run has ended both know it as `running`: they have
 * no word for one that waits for a worker.
 */
const runWords = {
  pending: 'running',
  claimed: 'running',
  running: 'running',
  success: 'success',
  failure: 'failure',
  killed: 'killed',
  timed_out: 'timed_out',
} as const satisfies Record<RunState, string>;

export type RunWord = (typeof runWords)[RunState];

/** The 2023 SDK knows running, success, failure and unknown. */
const runWords2023: Record<RunWord, 'running' | 'success' | 'failure'> = {
  running: 'running',
  success: 'success',
  failure: 'failure',
  killed: 'failure',
  timed_out: 'failure',
};

export function runWord(state: RunState, generation: SdkGeneration): RunWord {
  return generation === '2023' ? runWords2023[runWords[state]] : runWords[state];
}

/** The states of the runs that the generation would be told this word of; undefined for words that mean all. */
export function statesOfWord(word: string | null | undefined, generation: SdkGeneration): RunState[] | undefined {
  if (word == null || word === 'all') return undefined;
  return (Object.keys(runWords) as RunState[]).filter((state) => runWord(state, generation) === word);
}

/** The 2023 SDK has no pauses: a task that is paused from elsewhere is still a started one to it. */
const taskWords2023: Record<TaskStatus, TaskStatus> = {
  pending: 'pending',
  started: 'started',
  failed: 'failed',
  pending_kill: 'pending_kill',
  pending_pause: 'started',
  paused: 'started',
  pending_resume: 'started',
  schedule_error: 'schedule_error',
};

export function taskWord(status: TaskStatus, generation: SdkGeneration): TaskStatus {
  return generation === '2023' ? taskWords2023[status] : status;
}
