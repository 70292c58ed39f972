import { runStates, taskStatuses } from '@pademelon/contracts';
import { expect, test } from 'vitest';
import { runWord, statesOfWord, taskWord } from './run-words.ts';

/** The strict lists of the two SDKs: any other word stops them. */
const known = {
  '2023': {
    run: ['running', 'success', 'failure', 'unknown'],
    task: [
      'pending',
      'started',
      'pending_kill',
      'success',
      'failed',
      'crash_loop',
      'resource_contention',
      'schedule_error',
    ],
  },
  '2026': {
    run: ['running', 'success', 'failure', 'timed_out', 'killed', 'unknown'],
    task: [
      'pending',
      'started',
      'success',
      'failed',
      'killed',
      'pending_kill',
      'paused',
      'pending_pause',
      'pending_resume',
      'timed_out',
      'crash_loop',
      'schedule_error',
      'resource_contention',
    ],
  },
};

test.each(['2023', '2026'] as const)('the %s SDK is sent no word that it does not know', (generation) => {
  for (const state of runStates) expect(known[generation].run).toContain(runWord(state, generation));
  for (const status of taskStatuses) expect(known[generation].task).toContain(taskWord(status, generation));
});

test.each(['2023', '2026'] as const)('a filter of the %s SDK finds what it is told of by that word', (generation) => {
  expect(statesOfWord('all', generation)).toBeUndefined();
  expect(statesOfWord(null, generation)).toBeUndefined();
  for (const word of new Set(runStates.map((state) => runWord(state, generation)))) {
    const states = runStates.filter((state) => runWord(state, generation) === word);
    expect(statesOfWord(word, generation)).toEqual(states);
  }
  expect(statesOfWord('unknown', generation)).toEqual([]);
});
