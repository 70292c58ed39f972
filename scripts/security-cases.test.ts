import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');

interface Case {
  readonly number: number;
  /** Files with the titles of tests, or of cases that tests run over, that are in them. */
  readonly tests: readonly { file: string; titles: readonly string[] }[];
}

function casesIn(table: string): Case[] {
  return [...table.matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm)].map(([, number, tests]) => ({
    number: Number(number),
    tests: [...(tests as string).matchAll(/`([^`]+)`((?:,? "[^"]+")+)/g)].map(([, file, titles]) => ({
      file: file as string,
      titles: [...(titles as string).matchAll(/"([^"]+)"/g)].map(([, title]) => title as string),
    })),
  }));
}

const cases = casesIn(read('tests/security/cases.md'));

test('every hostile case has a row', () => {
  expect(cases.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
});

test.each(cases)('case $number is proved by tests that exist', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  const missing = tests.flatMap(({ file, titles }) =>
    titles.filter((title) => !read(file).includes(`'${title}'`)).map((title) => `${file} has no '${title}'`),
  );
  expect(missing).toEqual([]);
});

test('the tests that run over all hostile zips do', () => {
  for (const file of [
    'packages/archive/src/open-archive.test.ts',
    'apps/api/src/routes/orchestration/hostile-zips.int.test.ts',
  ]) {
    expect(read(file)).toContain('test.each(hostileZips)');
  }
});
