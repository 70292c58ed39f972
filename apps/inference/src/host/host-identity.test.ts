import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimHostId } from './host-identity.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'identity-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Beyond what Linux gives out. */
const deadPid = 2 ** 22 + 1;

test('a host that is started again after a crash has its old id', () => {
  const id = claimHostId(folder, deadPid);
  expect(claimHostId(folder, deadPid + 1)).toBe(id);
  expect(claimHostId(folder)).toBe(id);
});

test('a second host of the folder gets an id of its own and leaves the first one its place', () => {
  const id = claimHostId(folder, process.ppid);
  expect(claimHostId(folder)).not.toBe(id);
  expect(claimHostId(folder, process.ppid)).toBe(id);
});

test('a file that was damaged is replaced', () => {
  writeFileSync(join(folder, `inference-host-${hostname()}.json`), '{"id":');
  const id = claimHostId(folder, deadPid);
  expect(claimHostId(folder, deadPid)).toBe(id);
});
