import { expect, test } from 'vitest';
import { reasonPhrase } from './reason-phrase.ts';

test('the 2023 SDK gets the sentence as one line of ASCII', () => {
  expect(reasonPhrase('Not a model.', 'WallarooSDK/2023.2.0')).toBe('Not a model.');
  expect(reasonPhrase('a\r\nset-cookie: x…', 'WallarooSDK/2023.2.0')).toBe('a?set-cookie: x?');
  expect(reasonPhrase('n'.repeat(9_000), 'WallarooSDK/2023.2.0')).toHaveLength(500);
});

test('other callers get the usual phrase', () => {
  expect(reasonPhrase('Not a model.', 'WallarooSDK/2026.1.3')).toBeNull();
  expect(reasonPhrase('Not a model.', undefined)).toBeNull();
});
