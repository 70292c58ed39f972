import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { Wakefulness } from './wakefulness.ts';

/** How often the event loop goes round for it in a number of turns that would all be asleep. */
async function looks(callers: number, turns: number): Promise<number> {
  vi.useFakeTimers({ toFake: ['performance'] });
  const wakefulness = new Wakefulness(() => callers);
  const look = vi.spyOn(globalThis, 'setImmediate');
  try {
    wakefulness.prolong();
    wakefulness.prolong();
    for (let i = 0; i < turns; i++) await turn();
    const busy = look.mock.calls.length;
    vi.advanceTimersByTime(1);
    for (let i = 0; i < turns; i++) await turn();
    // It has gone to sleep, in one last look.
    expect(look.mock.calls.length).toBeLessThanOrEqual(busy + 1);
    return busy;
  } finally {
    look.mockRestore();
    vi.useRealTimers();
  }
}

test('a lone caller is waited for awake, for a moment', async () => {
  expect(await looks(1, 10)).toBeGreaterThanOrEqual(10);
});

test('with many callers the process sleeps when it can', async () => {
  expect(await looks(3, 10)).toBe(0);
});
