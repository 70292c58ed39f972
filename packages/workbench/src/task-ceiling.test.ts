import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTaskCeiling } from './task-ceiling.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'task-ceiling-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('where there are no control groups there is no ceiling, and nothing is left', () => {
  expect(openTaskCeiling(10, [root, join(root, 'absent')])).toBeNull();
  expect(readdirSync(root)).toEqual([]);
});

const groups = '/sys/fs/cgroup/pids';
const mayMakeGroups = process.getuid?.() === 0 && existsSync(groups);

test.runIf(mayMakeGroups)('the groups of supervisors that were killed are removed by the next one', () => {
  const abandoned = join(groups, 'pademelon-run-999999999');
  mkdirSync(abandoned);
  const ceiling = openTaskCeiling(10, [groups]);
  expect(existsSync(abandoned)).toBe(false);
  const own = join(groups, `pademelon-run-${process.pid}`);
  expect(existsSync(own)).toBe(true);
  ceiling?.remove();
  expect(existsSync(own)).toBe(false);
});

test.runIf(mayMakeGroups)('a command is under the ceiling with its arguments as they are', () => {
  const ceiling = openTaskCeiling(10, [groups]);
  const wrapped = ceiling?.wrap('/bin/echo', ['a b', '$c']);
  ceiling?.remove();
  expect(wrapped?.args.slice(3)).toEqual(['/bin/echo', 'a b', '$c']);
});
