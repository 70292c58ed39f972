import { expect, test } from 'vitest';
import { AnswerPace } from './answer-pace.ts';

/** `count` answers, `everyMs` apart, the last at the time returned. */
function answer(
  pace: AnswerPace,
  { count, everyMs, fromMs }: { count: number; everyMs: number; fromMs: number },
): number {
  for (let i = 1; i <= count; i++) pace.note(fromMs + i * everyMs);
  return fromMs + count * everyMs;
}

test('a steady pace tells how long others take', () => {
  const pace = new AnswerPace();
  pace.begin(1_000);
  const now = answer(pace, { count: 100, everyMs: 20, fromMs: 1_000 });
  expect(pace.expectedMs(50, now)).toBeCloseTo(1_000, -2);
});

test('nothing is expected of what has not been watched for long, or when nobody waits', () => {
  const pace = new AnswerPace();
  pace.begin(0);
  expect(pace.expectedMs(1_000, answer(pace, { count: 4, everyMs: 100, fromMs: 0 }))).toBe(0);
  const now = answer(pace, { count: 10, everyMs: 100, fromMs: 400 });
  expect(pace.expectedMs(1_000, now)).toBeGreaterThan(50_000);
  pace.end(now);
  expect(pace.expectedMs(1_000, now)).toBe(0);
});

test('a new crowd is measured anew', () => {
  const pace = new AnswerPace();
  pace.begin(0);
  pace.end(answer(pace, { count: 10, everyMs: 500, fromMs: 0 }));
  pace.begin(60_000);
  const now = answer(pace, { count: 600, everyMs: 1, fromMs: 60_000 });
  expect(pace.expectedMs(100, now)).toBeCloseTo(100, -1);
});

test('a moment in which nobody waits is no reason to forget, and does not count', () => {
  const pace = new AnswerPace();
  pace.begin(0);
  // Slow pods have fewer requests than they may be given: the queue is empty again and again.
  let now = 0;
  for (let round = 0; round < 20; round++) {
    now = answer(pace, { count: 10, everyMs: 40, fromMs: now });
    pace.end(now);
    now += 900;
    pace.begin(now);
    if (round > 0) expect(pace.expectedMs(75, now)).toBeCloseTo(3_000, -3);
  }
});

test('pods that fall silent are expected to stay so', () => {
  const pace = new AnswerPace();
  pace.begin(0);
  const now = answer(pace, { count: 1_000, everyMs: 1, fromMs: 0 });
  expect(pace.expectedMs(100, now)).toBeLessThan(200);
  expect(pace.expectedMs(100, now + 60_000)).toBeGreaterThan(5_000);
});

test('pods that never answered are expected never to', () => {
  const pace = new AnswerPace();
  pace.begin(0);
  expect(pace.expectedMs(1, 10_000)).toBe(20_000);
});
