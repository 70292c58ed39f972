import { expect, test } from 'vitest';
import type { HistoryEntry, HistoryWord } from './support/history.ts';
import { checkHistory } from './support/history-checker.ts';
import type { RunRecord } from './support/run-records.ts';

const run: RunRecord = {
  ...{ id: 'r', taskId: 't', label: 'one', beats: 1, state: 'success', reason: 'completed' },
  ...{ attempt: 1, maxAttempts: 1, finishedAtMs: 10_000, lines: ['beat 0'] },
  events: ['claimed 1', 'started 1', 'finished 1'],
};
const lost: Partial<RunRecord> = { state: 'failure', reason: 'worker_lost' };

function say(word: HistoryWord, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return { word, runId: 'r', attempt: 1, label: 'one', atMs: 9_000, ...changes };
}

const told = [say('START'), say('BEAT'), say('END')];

function check(changes: Partial<RunRecord>, entries: readonly HistoryEntry[] = told, accepted = ['t']): string[] {
  return checkHistory({ accepted, runs: [{ ...run, ...changes }], entries });
}

test('keeps quiet about a history without a fault', () => {
  expect(check({})).toEqual([]);
  expect(check(lost, [say('START')])).toEqual([]);
  expect(check(lost, [])).toEqual([]);
});

test('takes the lines of a second attempt after those of the first', () => {
  const again = told.map((entry) => ({ ...entry, attempt: 2 }));
  expect(check({ attempt: 2, maxAttempts: 2, lines: ['beat 0', 'beat 0'] }, [say('START'), ...again])).toEqual([]);
});

test.each<[string, Partial<RunRecord>, readonly HistoryEntry[], RegExp]>([
  ['has not ended', { state: 'running' }, told, /not come to an end/],
  ['was started twice', {}, [say('START'), ...told], /attempt 1 was started 2 times/],
  ['was started twice and lost', lost, [say('START'), say('START')], /attempt 1 was started 2 times/],
  ['ended without a start', lost, [say('END')], /ended without a start/],
  ['ran for an attempt that nobody claimed', {}, [...told, say('START', { attempt: 2 })], /was not its/],
  ['had more attempts than it may', { attempt: 2 }, told, /2 attempts of 1/],
  ['was finished twice', { events: ['finished 1', 'finished 1'] }, told, /finished 2 times/],
  ['was never finished', { events: ['claimed 1'] }, told, /finished 0 times/],
  ['lived on after its end', lost, [say('START'), say('BEAT', { atMs: 10_500 })], /said BEAT after its end/],
  ['succeeded without having run', {}, [], /0 starts and 0 ends/],
  ['succeeded half-way', {}, [say('START')], /1 starts and 0 ends/],
  ['lost a line', { lines: [] }, told, /its log/],
  ['has a line twice', { lines: ['beat 0', 'beat 0'] }, told, /its log has 2 lines/],
])('finds a run that %s', (_what, changes, entries, fault) => {
  expect(check(changes, entries).join('\n')).toMatch(fault);
});

test('finds what was accepted and is not there, and code without a run', () => {
  expect(check({}, told, ['t', 'u'])).toEqual(['the task u was accepted and is lost']);
  expect(check({}, [...told, say('START', { runId: 'x' })])).toEqual(['code ran for x, which is not there']);
});
