import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** Names that are read as settings, by the functions that read them, in what is shipped. */
function settingsInSource(): Set<string> {
  const files = globSync(['apps/*/src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: root }).filter(
    (file) => !/\.test\.ts$|\/testing\/|\/generated\//.test(file),
  );
  const names = new Set<string>();
  for (const file of files) {
    const text = readFileSync(resolve(root, file), 'utf8');
    for (const [, name] of text.matchAll(/'(PADEMELON_[A-Z_]+|[A-Z]+_URL|AUTH|HOST|PORT|LOG_LEVEL)'/g)) {
      names.add(name as string);
    }
  }
  return names;
}

test('docs/operations.md has every setting, and none that there is not', () => {
  const inSource = settingsInSource();
  expect(inSource.size).toBeGreaterThan(40);
  const table = readFileSync(resolve(root, 'docs/operations.md'), 'utf8').split('\n## Docker')[0] as string;
  const documented = new Set(
    [...table.matchAll(/`(PADEMELON_[A-Z_]+|[A-Z]+_URL|AUTH|HOST|PORT|LOG_LEVEL)(?:<NAME>)?`/g)].map(
      ([, name]) => name as string,
    ),
  );
  expect([...inSource].filter((name) => !documented.has(name))).toEqual([]);
  expect([...documented].filter((name) => !inSource.has(name))).toEqual([]);
});
