import { expect, it } from 'vitest';
import { Patience } from './patience.ts';

const setup = () => new Patience({ pauseMs: 1_000, maxPauseMs: 3_000 });

it('asks until an answer was late, and then not for a while', () => {
  const patience = setup();
  expect(patience.mayAsk(0)).toBe(true);
  patience.wasLate(100);
  expect(patience.mayAsk(1_099)).toBe(false);
  expect(patience.mayAsk(1_100)).toBe(true);
});

it('pauses twice as long each time, up to the longest pause', () => {
  const patience = setup();
  const pauses: number[] = [];
  let nowMs = 0;
  for (let round = 0; round < 4; round += 1) {
    patience.wasLate(nowMs);
    const lateAtMs = nowMs;
    while (!patience.mayAsk(nowMs)) nowMs += 100;
    pauses.push(nowMs - lateAtMs);
  }
  expect(pauses).toEqual([1_000, 2_000, 3_000, 3_000]);
});

it('counts requests that were late together once', () => {
  const patience = setup();
  patience.wasLate(0);
  patience.wasLate(1);
  patience.wasLate(2);
  expect(patience.mayAsk(1_000)).toBe(true);
});

it('begins anew after a result in time', () => {
  const patience = setup();
  patience.wasLate(0);
  patience.wasLate(1_000);
  patience.wasInTime();
  patience.wasLate(5_000);
  expect(patience.mayAsk(6_000)).toBe(true);
});
