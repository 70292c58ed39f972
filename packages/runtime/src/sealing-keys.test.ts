import { expect, test } from 'vitest';
import { readSealingKeys } from './sealing-keys.ts';

const secretKey = Buffer.alloc(32, 7);
const digits = 'ab'.repeat(32);

test('without a list there is one key, derived from the secret key', () => {
  const keys = readSealingKeys({}, secretKey);
  expect(keys.map(({ id }) => id)).toEqual(['platform']);
  expect(keys[0]?.key).toHaveLength(32);
  expect(keys[0]?.key.equals(secretKey)).toBe(false);
});

test('listed keys come first, in their order', () => {
  const keys = readSealingKeys({ PADEMELON_SEALING_KEYS: `b:${digits}, a:${digits}` }, secretKey);
  expect(keys.map(({ id }) => id)).toEqual(['b', 'a', 'platform']);
  expect(keys[0]?.key.toString('hex')).toBe(digits);
});

test.each([`a:${digits},a:${digits}`, `platform:${digits}`, `a:${digits.slice(2)}`, digits, `:${digits}`])(
  'the list %s is refused without being repeated',
  (list) => {
    expect(() => readSealingKeys({ PADEMELON_SEALING_KEYS: list }, secretKey)).toThrow(/PADEMELON_SEALING_KEYS/);
    expect(() => readSealingKeys({ PADEMELON_SEALING_KEYS: list }, secretKey)).not.toThrow(/abab/);
  },
);
