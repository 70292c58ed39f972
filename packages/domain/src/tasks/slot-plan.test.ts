import { describe, expect, test } from 'vitest';
import { Schedule } from './schedule.ts';
import { type DueTask, maxPendingRuns, planSlots } from './slot-plan.ts';

const at = (time: string): Date => new Date(`2024-03-01T${time}Z`);
const idle = { isBusy: false, pendingRuns: 0 };
const everyMinute = Schedule.parse('* * * * *', 'UTC');

function plan(changes: Partial<DueTask>, now: Date) {
  const task = { nextRunAt: at('10:00:00'), overlapPolicy: 'skip', missedRunPolicy: 'last', ...idle, ...changes };
  const { slots, nextRunAt, skipped } = planSlots(task as DueTask, everyMinute, now);
  return {
    slots: slots.map((slot) => slot.toISOString().slice(11, 19)),
    next: nextRunAt?.toISOString().slice(11, 19),
    skipped,
  };
}

test('a slot that is due gets its run and the next one is a minute later', () => {
  expect(plan({}, at('10:00:02'))).toEqual({ slots: ['10:00:00'], next: '10:01:00', skipped: 0 });
});

test.each(['12:00:00', '12:00:30', '12:00:59', '12:00:59.500'])(
  'of more missed slots than may wait, the newest that may are made up, at %s too',
  (time) => {
    const { slots } = plan({ missedRunPolicy: 'all', overlapPolicy: 'allow' }, at(time));
    expect(slots).toHaveLength(maxPendingRuns);
    expect(slots.at(-1)).toBe('12:00:00');
  },
);

describe('after five missed slots', () => {
  const now = at('10:05:30');

  test('last makes up the newest', () => {
    expect(plan({}, now)).toMatchObject({ slots: ['10:05:00'], next: '10:06:00' });
  });

  test('all makes up each, unless runs may not overlap', () => {
    expect(plan({ missedRunPolicy: 'all', overlapPolicy: 'queue' }, now).slots).toHaveLength(6);
    expect(plan({ missedRunPolicy: 'all', overlapPolicy: 'skip' }, now)).toMatchObject({
      slots: ['10:05:00'],
      skipped: 5,
    });
  });

  test('skip still runs a newest slot that is only seconds old', () => {
    expect(plan({ missedRunPolicy: 'skip' }, now).slots).toEqual(['10:05:00']);
  });
});

test('skip makes up nothing when the newest slot is old', () => {
  const daily = Schedule.parse('0 10 * * *', 'UTC');
  const task: DueTask = { nextRunAt: at('10:00:00'), overlapPolicy: 'skip', missedRunPolicy: 'skip', ...idle };
  const { slots, nextRunAt } = planSlots(task, daily, at('15:00:00'));
  expect(slots).toEqual([]);
  expect(nextRunAt?.toISOString()).toBe('2024-03-02T10:00:00.000Z');
});

describe('while a run is unfinished', () => {
  test('skip passes the slot over', () => {
    expect(plan({ isBusy: true }, at('10:00:02'))).toEqual({ slots: [], next: '10:01:00', skipped: 1 });
  });

  test.each(['queue', 'allow'] as const)('%s takes it', (overlapPolicy) => {
    expect(plan({ isBusy: true, overlapPolicy }, at('10:00:02')).slots).toEqual(['10:00:00']);
  });
});

test('a year of missed minutes is bounded', () => {
  const now = new Date('2025-03-01T10:00:30Z');
  const started = performance.now();
  expect(plan({ missedRunPolicy: 'last' }, now).slots).toEqual(['10:00:00']);
  expect(plan({ missedRunPolicy: 'all', overlapPolicy: 'allow' }, now).slots).toHaveLength(maxPendingRuns);
  expect(performance.now() - started).toBeLessThan(1_000);
});

describe('when runs wait for a worker', () => {
  const waiting = { overlapPolicy: 'queue', missedRunPolicy: 'all', isBusy: true } as const;

  test('the newest slots get the places that are left', () => {
    const { slots } = plan({ ...waiting, pendingRuns: maxPendingRuns - 2 }, at('10:05:30'));
    expect(slots).toEqual(['10:04:00', '10:05:00']);
  });

  test.each(['last', 'skip', 'all'] as const)('no slot gets a run when as many wait as may (%s)', (missedRunPolicy) => {
    const busy = { ...waiting, missedRunPolicy, pendingRuns: maxPendingRuns };
    expect(plan(busy, at('10:00:02'))).toEqual({ slots: [], next: '10:01:00', skipped: 1 });
    expect(plan({ ...busy, overlapPolicy: 'allow' }, at('10:00:02')).slots).toEqual([]);
  });
});

test('the last slot of a schedule that ends leaves nothing due', () => {
  const once = Schedule.parse('0 0 12 1 3 2024', 'UTC');
  const task: DueTask = { nextRunAt: at('12:00:00'), overlapPolicy: 'skip', missedRunPolicy: 'last', ...idle };
  expect(planSlots(task, once, at('12:00:01')).nextRunAt).toBeNull();
});
