import { expect, test } from 'vitest';
import { readFontCache } from './environment-warmer.ts';

test('the cache of fonts is the last line of its shape, whatever was said before', () => {
  const lines = ['a warning', '["fontlist-v1.json", "old"]', '["fontlist-v390.json", "{}"]', 'bye'];
  expect(readFontCache(lines)).toEqual({ name: 'fontlist-v390.json', content: '{}' });
});

test.each([
  ['nothing', []],
  ['a path', ['["fontlist-v/../../x.json", "{}"]']],
  ['another name', ['["x.json", "{}"]']],
  ['no text', ['["fontlist-v1.json", 3]']],
  ['half a line', ['["fontlist-v1.json", "']],
  ['too much', [`["fontlist-v1.json", "${'x'.repeat(5_000_000)}"]`]],
])('%s is no cache of fonts', (_case, lines) => {
  expect(readFontCache(lines)).toBeNull();
});
