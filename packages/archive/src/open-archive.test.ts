import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildZip, hostileZips, type ZipEntrySpec } from '@pademelon/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultArchiveLimits } from './archive-limits.ts';
import { openArchive } from './open-archive.ts';
import { findOrchestrationLayout } from './orchestration-layout.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function save(bytes: Buffer): string {
  const file = join(folder, `${count++}.zip`);
  writeFileSync(file, bytes);
  return file;
}

const main: ZipEntrySpec = { name: 'main.py', content: 'print("hello")' };

/** Opens and reads the whole zip: what every upload goes through. */
async function check(bytes: Buffer, limits = defaultArchiveLimits): Promise<void> {
  const archive = await openArchive(save(bytes), limits);
  await archive.verify();
}

async function refusal(bytes: Buffer): Promise<{ word: string; message: string }> {
  return check(bytes).then(
    () => ({ word: 'accepted', message: '' }),
    (error: { word: string; message: string }) => ({ word: error.word, message: error.message }),
  );
}

test('an honest zip is unpacked as it is, nested zips unopened', async () => {
  const inner = buildZip([main]);
  const archive = await openArchive(
    save(buildZip([main, { name: 'data/', mode: 0o040755 }, { name: 'data/inner.zip', content: inner, method: 0 }])),
  );
  const target = mkdtempSync(join(folder, 'out-'));
  await archive.extract(target);
  expect(readFileSync(join(target, 'main.py'), 'utf8')).toBe('print("hello")');
  expect(readFileSync(join(target, 'data/inner.zip')).equals(inner)).toBe(true);
  expect(readdirSync(target).sort()).toEqual(['data', 'main.py']);
});

test('a zip with a comment is read', async () => {
  await check(buildZip([main], { comment: Buffer.from('made by hand') }));
});

test.each(hostileZips)('%s is refused with the reason', async (_case, entries, spec) => {
  const { word, message } = await refusal(buildZip(entries, spec));
  expect(word).toBe('invalid_archive');
  expect(message).toMatch(/^The zip is refused: .+\.$/);
});

describe('bombs are refused as too large without being unpacked', () => {
  test('by ratio', async () => {
    const bomb = buildZip([{ ...main, content: Buffer.alloc(30_000_000) }]);
    expect(bomb.length).toBeLessThan(100_000);
    expect((await refusal(bomb)).word).toBe('too_large');
  });

  test('by the sum of what the entries declare', async () => {
    const entries = Array.from({ length: 3 }, (_, index) => ({ name: `${index}`, content: Buffer.alloc(900_000) }));
    const limits = { ...defaultArchiveLimits, unpackedBytes: 2_000_000 };
    await expect(check(buildZip(entries), limits)).rejects.toMatchObject({ word: 'too_large' });
  });

  test('by the number of entries', async () => {
    const entries = Array.from({ length: 20_000 }, (_, index) => ({ name: `${index}`, method: 0 }));
    expect((await refusal(buildZip(entries))).word).toBe('invalid_archive');
  });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a tar', Buffer.from('1f8b0800000000000003', 'hex')],
  ['a web page', Buffer.from('<!doctype html>')],
  ['zip64 sizes', Buffer.concat([buildZip([main]).subarray(0, -12), Buffer.from('ffffffffffffffffffffffff', 'hex')])],
])('%s is refused', async (_case, bytes) => {
  expect((await refusal(bytes)).word).toBe('invalid_archive');
});

test('a zip cut at any place is refused', async () => {
  const whole = buildZip([
    { ...main, content: Buffer.from(Array.from({ length: 9_000 }, (_, i) => (i * 7919) % 251)) },
  ]);
  for (let length = 1; length < whole.length; length += 97) {
    expect((await refusal(whole.subarray(0, length))).word).toBe('invalid_archive');
  }
});

describe('what is run', () => {
  const layout = async (...names: string[]) => {
    const archive = await openArchive(save(buildZip(names.map((name) => ({ name, content: 'x' })))));
    return findOrchestrationLayout(archive.entries);
  };

  test('is main.py at the root before any other', async () => {
    expect(await layout('a/main.py', 'main.py', 'requirements.txt')).toEqual({
      entryPoint: 'main.py',
      requirements: 'requirements.txt',
    });
  });

  test('is else the first main.py', async () => {
    expect((await layout('readme.md', 'b/main.py', 'a/main.py')).entryPoint).toBe('b/main.py');
  });

  test('must exist', async () => {
    await expect(layout('run.py')).rejects.toThrow(/no main\.py/);
  });

  test('may name its requirements once', async () => {
    await expect(layout('main.py', 'requirements.txt', 'a/requirements.txt')).rejects.toThrow(/2 files named/);
  });
});
