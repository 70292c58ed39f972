import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Schedule } from './schedule.ts';

const now = new Date('2024-01-01T00:00:00Z');

function slots(schedule: Schedule, count: number, after = now): string[] {
  const found: string[] = [];
  let moment: Date | null = after;
  while (found.length < count && moment !== null) {
    moment = schedule.next(moment);
    if (moment !== null) found.push(moment.toISOString());
  }
  return found;
}

test('five fields are minute, hour, day, month and weekday', () => {
  expect(slots(Schedule.parse('*/5 * * * *', 'UTC'), 3)).toEqual([
    '2024-01-01T00:05:00.000Z',
    '2024-01-01T00:10:00.000Z',
    '2024-01-01T00:15:00.000Z',
  ]);
});

test('the six fields of the tutorial end with a year', () => {
  const all = slots(Schedule.parse('0 0 12 1-15 2 2024', 'UTC'), 100);
  expect(all).toHaveLength(15);
  expect(all[0]).toBe('2024-02-01T12:00:00.000Z');
  expect(all.at(-1)).toBe('2024-02-15T12:00:00.000Z');
});

test('a schedule whose years are over is read and has no slot any more', () => {
  expect(slots(Schedule.parse('0 0 12 1-15 2 2024', 'UTC'), 1, new Date('2024-02-15T12:00:00Z'))).toEqual([]);
});

test('a time zone moves the slots', () => {
  expect(slots(Schedule.parse('0 9 * * *', 'Europe/Berlin'), 1)).toEqual(['2024-01-01T08:00:00.000Z']);
});

test('a time that the clocks skip runs at the end of the gap, half-hour gaps included', () => {
  const spring = new Date('2024-10-05T00:00:00Z');
  const lordHowe = Schedule.parse('15 2 * * *', 'Australia/Lord_Howe');
  // On 2024-10-06 02:00 becomes 02:30 there (UTC+10:30 → +11:00): 02:15 does not exist, and the day keeps its run.
  expect(slots(lordHowe, 3, spring)).toEqual([
    '2024-10-05T15:30:00.000Z',
    '2024-10-06T15:15:00.000Z',
    '2024-10-07T15:15:00.000Z',
  ]);
});

test.each([
  ['60 * * * *'],
  ['* * * * * *'],
  ['0 0 12 * * 7'],
  ['0 0 12 * * *'],
  ['@reboot'],
  ['0 0 30 2 *'],
  ['0 0 12 30 2 2024'],
  [''],
  ['* * * *'],
  [`${'1,'.repeat(5_000)}1 * * * *`],
  ['; DROP TABLE runs'],
])('%s is refused in a sentence', (text) => {
  expect(() => Schedule.parse(text, 'UTC')).toThrow(/The schedule ".*" cannot be used: .* Write/s);
});

test('a zone that does not exist is refused', () => {
  expect(() => Schedule.parse('* * * * *', 'Mars/Phobos')).toThrow(/"Mars\/Phobos" is not a time zone/);
});

describe('the newest slot of a span', () => {
  const hourly = Schedule.parse('0 * * * *', 'UTC');

  test('is the last one that is not after its end', () => {
    const found = hourly.newestBetween(new Date('2024-01-01T01:00:00Z'), new Date('2024-01-02T05:30:00Z'));
    expect(found?.toISOString()).toBe('2024-01-02T05:00:00.000Z');
  });

  test('counts a slot at the very end', () => {
    const end = new Date('2024-01-02T05:00:00Z');
    expect(hourly.newestBetween(now, end)).toEqual(end);
  });

  test('is null when the span holds none', () => {
    expect(hourly.newestBetween(new Date('2024-01-01T01:01:00Z'), new Date('2024-01-01T01:59:00Z'))).toBeNull();
  });
});

test('away from clock changes croner and cron-parser agree on every slot', () => {
  const minute = fc.oneof(
    fc.constant('*'),
    fc.integer({ min: 0, max: 59 }).map(String),
    fc.constantFrom('*/5', '*/7', '10-20', '1,2,59'),
  );
  const hour = fc.oneof(fc.constant('*'), fc.integer({ min: 0, max: 23 }).map(String), fc.constantFrom('*/6', '8-17'));
  const day = fc.oneof(fc.constant('*'), fc.integer({ min: 1, max: 28 }).map(String));
  const month = fc.oneof(fc.constant('*'), fc.integer({ min: 1, max: 12 }).map(String));
  const weekday = fc.oneof(fc.constant('*'), fc.integer({ min: 0, max: 6 }).map(String), fc.constantFrom('1-5'));
  const start = fc.date({ min: new Date('2000-01-01'), max: new Date('2060-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(minute, hour, day, month, weekday, start, (...parts) => {
      const [mi, ho, da, mo, we, moment] = parts;
      const text = `${mi} ${ho} ${da} ${mo} ${we}`;
      const ours = slots(Schedule.parse(text, 'UTC'), 5, moment);
      const theirs = CronExpressionParser.parse(text, { tz: 'UTC', currentDate: moment });
      expect(ours).toEqual(ours.map(() => theirs.next().toISOString()));
    }),
    { numRuns: 300 },
  );
});
