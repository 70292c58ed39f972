import { expect, test } from 'vitest';
import { errorText } from './error-text.ts';

const failure = { word: 'not_found', message: 'There is no model 7 that you can see.' } as const;

test('the newer SDK gets the sentence, because it shows it', () => {
  expect(errorText(failure, 'WallarooSDK/2026.1.3')).toBe(failure.message);
  expect(errorText(failure, 'WallarooSDK/2024.4.0')).toBe(failure.message);
});

test.each([undefined, '', 'curl/8.0', 'WallarooSDK/2023.2.0', 'python-requests/2.25.1', 'x WallarooSDK/2026'])(
  'every other caller gets the word: %s',
  (userAgent) => {
    expect(errorText(failure, userAgent)).toBe('not_found');
  },
);
