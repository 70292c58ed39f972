import { expect, it } from 'vitest';
import { WaitAllowance } from './wait-allowance.ts';

const setup = () => new WaitAllowance({ leastMs: 10, savedMs: 1_000, busyMs: 100, share: 0.02 });

/** Answers one after the other, each with challengers that need as long after the champion: how long each waits. */
function answer(allowance: WaitAllowance, answers: number, { tookMs, championMs = 1, everyMs = 100 }: Answers) {
  let nowMs = 0;
  const waits = Array.from({ length: answers }, () => {
    const { freeMs, waitMs } = allowance.grant(nowMs, championMs);
    const waitedMs = Math.min(waitMs, tookMs);
    allowance.spend(waitedMs, freeMs);
    allowance.learn(tookMs);
    nowMs += everyMs + waitedMs;
    return waitedMs;
  });
  return { waits, nowMs };
}

interface Answers {
  readonly tookMs: number;
  readonly championMs?: number;
  readonly everyMs?: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

it('always waits for challengers that are as quick as the champion, or take no time worth telling', () => {
  expect(answer(setup(), 1_000, { tookMs: 10 }).waits).toEqual(Array(1_000).fill(10));
  expect(answer(setup(), 1_000, { tookMs: 80, championMs: 80 }).waits).toEqual(Array(1_000).fill(80));
});

it('waits for slower ones as long as that is rare', () => {
  expect(answer(setup(), 3, { tookMs: 300 }).waits).toEqual([300, 300, 300]);
  // A minute between answers is enough for all of them.
  expect(answer(setup(), 50, { tookMs: 500, everyMs: 60_000 }).waits).toEqual(Array(50).fill(500));
});

it.each([20, 60, 300, 500])('spends but a small share of the time on challengers that always take %i ms', (tookMs) => {
  const { waits, nowMs } = answer(setup(), 6_000, { tookMs, everyMs: 400 });
  // The second that is saved, and two hundredths of the time.
  expect(sum(waits)).toBeLessThanOrEqual(1_000 + 0.02 * nowMs + 10 * waits.filter((ms) => ms > 0).length);
  expect(sum(waits)).toBeGreaterThan(2_000);
  // Where it does not wait for the results it does not wait at all.
  expect(new Set(waits)).toEqual(new Set([tookMs, 0]));
});

it.each([20, 60, 300, 500])(
  'spends nothing but what is saved on challengers that take %i ms when it is busy',
  (tookMs) => {
    const { waits } = answer(setup(), 6_000, { tookMs, everyMs: 1 });
    const isWaiting = waits.map((ms) => ms > 0);
    expect(sum(waits)).toBeGreaterThan(500);
    expect(sum(waits.filter((ms) => ms > 0).map((ms) => ms - 10))).toBeLessThan(1_050);
    // At first, and never again.
    expect(isWaiting).toEqual(isWaiting.toSorted((a, b) => Number(b) - Number(a)));
  },
);

it('waits again as soon as the results are quick', () => {
  const allowance = setup();
  const { nowMs } = answer(allowance, 100, { tookMs: 400 });
  expect(allowance.grant(nowMs, 1).waitMs).toBe(0);
  allowance.learn(2);
  expect(allowance.grant(nowMs, 1).waitMs).toBeGreaterThanOrEqual(10);
});

it('spends nothing on what came sooner', () => {
  const allowance = setup();
  for (let answer = 0; answer < 100; answer += 1) allowance.spend(3, 10);
  allowance.spend(900, 0);
  expect(allowance.grant(0, 1).waitMs).toBe(110);
});
