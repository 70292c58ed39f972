import { expect, it } from 'vitest';
import { LogSummary } from './log-summary.ts';

function setup() {
  const printed: string[] = [];
  const clock = { now: 0 };
  const summary = new LogSummary({ print: (line) => printed.push(line), now: () => clock.now, quietMs: 1_000 });
  return { printed, clock, summary };
}

const event = (level: number, msg: string, more: object = {}): string => JSON.stringify({ level, msg, ...more });

it('shows warnings and errors, not what is only worth a note', () => {
  const { printed, summary } = setup();
  summary.take('api', event(30, 'listens'), false);
  summary.take('api', event(40, 'slow'), false);
  summary.take('gateway', event(50, 'no answer', { err: { message: 'refused' } }), false);
  summary.take('gateway', event(60, 'refused', { err: { message: 'refused' } }), false);
  expect(printed).toEqual([
    '  api: warning: slow',
    '  gateway: error: no answer — refused',
    '  gateway: error: refused',
  ]);
});

it('shows text from standard error only', () => {
  const { printed, summary } = setup();
  summary.take('api', 'just text', false);
  summary.take('api', 'out of memory', true);
  summary.take('api', '{ no JSON', true);
  summary.take('api', '   ', true);
  expect(printed).toEqual(['  api: out of memory', '  api: { no JSON']);
});

it('shows the same message of the same service once in a while, and how often it came meanwhile', () => {
  const { printed, clock, summary } = setup();
  for (let time = 0; time <= 1_000; time += 250) {
    clock.now = time;
    summary.take('api', event(40, 'database away'), false);
  }
  summary.take('gateway', event(40, 'database away'), false);
  expect(printed).toEqual([
    '  api: warning: database away',
    '  api: warning: database away (and 3 times before)',
    '  gateway: warning: database away',
  ]);
});

it('keeps a long or many-lined message to one short line', () => {
  const { printed, summary } = setup();
  summary.take('api', event(50, `${'x'.repeat(1_000)}\nsecond line`), false);
  summary.take('api', event(50, 'first line\nsecond line'), false);
  expect(printed[0]?.length).toBeLessThan(260);
  expect(printed[1]).toBe('  api: error: first line');
});
