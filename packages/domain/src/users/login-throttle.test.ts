import { expect, test } from 'vitest';
import { LoginThrottle } from './login-throttle.ts';

function setup() {
  const clock = { nowMs: 0 };
  const throttle = new LoginThrottle({ now: () => clock.nowMs, failuresPerUser: 3, failuresPerAddress: 5 });
  let checked = 0;
  const attempt = (address: string, username: string, isRight = false) =>
    throttle.attempt({ address, username }, async () => {
      checked += 1;
      return isRight ? username : null;
    });
  return { clock, attempt, checked: () => checked };
}

const refusal = { word: 'overloaded', details: { retry_after_seconds: expect.any(Number) } };

test('after three failures the next attempt is refused unchecked until the first is a minute old', async () => {
  const { clock, attempt, checked } = setup();
  for (let n = 0; n < 3; n++) {
    expect(await attempt('a', 'ada')).toBeNull();
    clock.nowMs += 10_000;
  }
  await expect(attempt('a', 'ada', true)).rejects.toMatchObject({ ...refusal, details: { retry_after_seconds: 30 } });
  expect(checked()).toBe(3);
  clock.nowMs = 60_000;
  expect(await attempt('a', 'ada', true)).toBe('ada');
});

test('many attempts at once get no more guesses than many in turn', async () => {
  const { attempt, checked } = setup();
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => attempt('a', 'ada')));
  expect(checked()).toBe(3);
  expect(results.filter((result) => result.status === 'rejected')).toHaveLength(17);
});

test('successes are not counted, however many come at once', async () => {
  const { attempt } = setup();
  const results = await Promise.all(Array.from({ length: 30 }, () => attempt('a', 'ada', true)));
  expect(results).toHaveLength(30);
});

test('an address is refused for all users after five failures; other addresses are not', async () => {
  const { attempt } = setup();
  for (let n = 0; n < 5; n++) await attempt('a', `user-${n}`);
  await expect(attempt('a', 'ada', true)).rejects.toMatchObject(refusal);
  expect(await attempt('b', 'ada', true)).toBe('ada');
});

test('an error while checking is no failed log-in, and the next in line goes on', async () => {
  const throttle = new LoginThrottle({ now: () => 0, failuresPerUser: 1 });
  const subject = { address: 'a', username: 'ada' };
  const broken = throttle.attempt(subject, () => Promise.reject(new Error('the database is away')));
  const next = throttle.attempt(subject, async () => 'ada');
  await expect(broken).rejects.toThrow('the database is away');
  expect(await next).toBe('ada');
});

test('more than 32 attempts of one address for one user do not wait', async () => {
  const { attempt } = setup();
  const results = await Promise.allSettled(Array.from({ length: 40 }, () => attempt('a', 'ada', true)));
  expect(results.filter((result) => result.status === 'rejected')).toHaveLength(8);
});
