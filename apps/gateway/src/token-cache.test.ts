import { expect, test } from 'vitest';
import { TokenCache } from './token-cache.ts';

const token = (userId: string, expiresAtMs = 1_000) => ({ userId, issuedAtMs: 0, expiresAtMs });

test('a token is remembered until it expires, and no other text finds it', () => {
  const cache = new TokenCache();
  cache.put('text', token('anna'));
  expect(cache.get('text', 999)?.userId).toBe('anna');
  expect(cache.get('texu', 999)).toBeNull();
  expect(cache.get('text', 1_000)).toBeNull();
  expect(cache.size).toBe(0);
});

test('beyond its capacity the token that was unused for longest goes', () => {
  const cache = new TokenCache(2);
  cache.put('a', token('a'));
  cache.put('b', token('b'));
  cache.get('a', 0);
  cache.put('c', token('c'));
  expect([cache.get('a', 0), cache.get('b', 0), cache.get('c', 0)].map((found) => found?.userId)).toEqual([
    'a',
    undefined,
    'c',
  ]);
});

test('nothing is left of what was cleared, the token that came last included', () => {
  const cache = new TokenCache();
  cache.put('a', token('a'));
  expect(cache.get('a', 0)?.userId).toBe('a');
  cache.clear();
  expect(cache.get('a', 0)).toBeNull();
});
