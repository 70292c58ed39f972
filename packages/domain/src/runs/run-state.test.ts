import { type RunReason, type RunState, runReasons, runStates } from '@pademelon/contracts';
import { describe, expect, test } from 'vitest';
import { judgeAttempt } from './retry-policy.ts';
import { canMove, faultOf, finalState, isFinal, statesBefore } from './run-state.ts';

const allowed = new Set([
  'pending→claimed',
  'pending→failure',
  'pending→killed',
  'claimed→running',
  'claimed→pending',
  'claimed→failure',
  'claimed→killed',
  'claimed→timed_out',
  'running→pending',
  'running→success',
  'running→failure',
  'running→killed',
  'running→timed_out',
]);

describe.each(runStates)('from %s', (from) => {
  test.each(runStates)('to %s', (to) => {
    expect(canMove(from, to)).toBe(allowed.has(`${from}→${to}`));
    expect(statesBefore(to).includes(from)).toBe(canMove(from, to));
  });
});

test('exactly the four ends are final', () => {
  expect(runStates.filter(isFinal)).toEqual<RunState[]>(['success', 'failure', 'killed', 'timed_out']);
});

test.each(runReasons)('%s ends in a state that a running run may enter', (reason) => {
  expect(isFinal(finalState(reason))).toBe(true);
  expect(canMove('running', finalState(reason))).toBe(true);
});

describe('the verdict on an attempt', () => {
  const first = { attempt: 1, maxAttempts: 3, isCancelRequested: false };

  test.each(runReasons)('%s with one attempt only is final', (reason) => {
    expect(judgeAttempt({ ...first, reason, maxAttempts: 1 })).toEqual({ kind: 'finish', reason });
  });

  test.each(runReasons)('%s is retried only when it was not the user', (reason) => {
    const isRetried = judgeAttempt({ ...first, reason }).kind === 'retry';
    const expected = (['system', 'timeout'] as string[]).includes(faultOf(reason)) && reason !== 'not_started';
    expect(isRetried).toBe(expected);
  });

  test('a wish to cancel beats a retry, and a success beats the wish', () => {
    const wished = { ...first, isCancelRequested: true };
    expect(judgeAttempt({ ...wished, reason: 'worker_lost' })).toEqual({ kind: 'finish', reason: 'killed_by_user' });
    expect(judgeAttempt({ ...wished, reason: 'completed' })).toEqual({ kind: 'finish', reason: 'completed' });
  });

  test('the delay doubles up to ten minutes', () => {
    const delays = [1, 2, 3, 10].map((attempt) => {
      const verdict = judgeAttempt({
        reason: 'worker_lost' as RunReason,
        attempt,
        maxAttempts: 99,
        isCancelRequested: false,
      });
      return verdict.kind === 'retry' ? verdict.delayMs : null;
    });
    expect(delays).toEqual([10_000, 20_000, 40_000, 600_000]);
  });
});
