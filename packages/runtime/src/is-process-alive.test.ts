import { spawnSync } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { isProcessAlive } from './is-process-alive.ts';

test('tells a process that runs from one that has ended', () => {
  expect(isProcessAlive(process.pid)).toBe(true);
  expect(isProcessAlive(spawnSync('true').pid)).toBe(false);
  expect(isProcessAlive(Number.NaN)).toBe(false);
});

test('a process of another user is alive, too', () => {
  vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
  });
  expect(isProcessAlive(1)).toBe(true);
  vi.restoreAllMocks();
});
