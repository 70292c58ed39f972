import { expect, test } from 'vitest';
import { readSealingKeys } from './sealing-keys.ts';
import { readOldSecretKey } from './secret-key.ts';

const secretKey = Buffer.alloc(32, 7);
const digits = 'ab'.repeat(32);
const oldDigits = '08'.repeat(32);

function keysOf(env: Record<string, string>, secret = secretKey) {
  return readSealingKeys(env, secret);
}
const derivedId = expect.stringMatching(/^platform-[0-9a-f]{8}$/);

test('without a list there is one key, derived from the secret key, under a name that tells of which', () => {
  const [key, nameless, ...rest] = keysOf({});
  expect(key).toEqual({ id: derivedId, key: expect.objectContaining({ length: 32 }) });
  expect(key?.key.equals(secretKey)).toBe(false);
  expect(nameless).toEqual({ id: 'platform', key: key?.key });
  expect(rest).toEqual([]);
  expect(keysOf({})).toEqual(keysOf({}));
  expect(keysOf({}, Buffer.alloc(32, 8))[0]?.id).not.toBe(key?.id);
});

test('listed keys come first, in their order', () => {
  const keys = keysOf({ PADEMELON_SEALING_KEYS: `b:${digits}, a:${digits}` });
  expect(keys.map(({ id }) => id)).toEqual(['b', 'a', derivedId, 'platform']);
  expect(keys[0]?.key.toString('hex')).toBe(digits);
});

test('the key of the secret key before opens what it sealed, and does not seal', () => {
  const [old] = keysOf({}, Buffer.from(oldDigits, 'hex'));
  const [present] = keysOf({});
  const keys = keysOf({ PADEMELON_OLD_SECRET_KEY: oldDigits });
  expect(keys).toEqual([present, old, { id: 'platform', key: old?.key }]);
});

test.each([
  `a:${digits},a:${digits}`,
  `platform:${digits}`,
  `platform-ab:${digits}`,
  `a:${digits.slice(2)}`,
  digits,
  `:${digits}`,
])('the list %s is refused without being repeated', (list) => {
  expect(() => keysOf({ PADEMELON_SEALING_KEYS: list })).toThrow(/PADEMELON_SEALING_KEYS/);
  expect(() => keysOf({ PADEMELON_SEALING_KEYS: list })).not.toThrow(/abab/);
});

test('an old secret key that is none, or is the present one, is refused', () => {
  expect(readOldSecretKey({}, secretKey)).toBeUndefined();
  for (const text of [oldDigits.slice(1), secretKey.toString('hex')]) {
    expect(() => readOldSecretKey({ PADEMELON_OLD_SECRET_KEY: text }, secretKey)).toThrow(/PADEMELON_OLD_SECRET_KEY/);
    expect(() => readOldSecretKey({ PADEMELON_OLD_SECRET_KEY: text }, secretKey)).not.toThrow(/0808|0707/);
  }
});
