import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalArtifactStore } from './local-artifact-store.ts';

const content = Buffer.from('a model');
const sha = createHash('sha256').update(content).digest('hex');
const noLimit = { limitBytes: 1e9 };
let folder: string;
let store: LocalArtifactStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
  store = new LocalArtifactStore(folder);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function* chunks(...parts: (Buffer | Error)[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield part;
  }
}

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test('what was put can be opened by the SHA-256 of its content', async () => {
  expect(await store.put(chunks(content.subarray(0, 3), content.subarray(3)), noLimit)).toEqual({ sha, sizeBytes: 7 });
  const opened = await store.open(sha);
  expect(opened?.sizeBytes).toBe(7);
  expect(Buffer.concat(await opened!.content.toArray())).toEqual(content);
  expect((await stat((await store.find(sha))!)).mode & 0o077).toBe(0);
});

test('the same content put twice, also at once, is one file', async () => {
  await Promise.all([store.put(chunks(content), noLimit), store.put(chunks(content), noLimit)]);
  await store.put(chunks(content), noLimit);
  expect(await filesIn(folder)).toEqual([sha]);
});

test('a staged file is invisible until it is committed and leaves nothing when discarded', async () => {
  const staged = await store.stage(chunks(content), noLimit);
  expect(await store.find(sha)).toBeNull();
  expect(await readFile(staged.path)).toEqual(content);
  await staged.discard();
  expect(await filesIn(folder)).toEqual([]);
  const again = await store.stage(chunks(content), noLimit);
  await again.commit();
  await again.discard();
  expect(await store.find(sha)).not.toBeNull();
});

test('content beyond the limit is refused at once and leaves nothing', async () => {
  let served = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      served++;
      yield Buffer.alloc(1024);
    }
  }
  await expect(store.put(endless(), { limitBytes: 10_000 })).rejects.toMatchObject({ word: 'too_large' });
  expect(served).toBe(10);
  expect(await filesIn(folder)).toEqual([]);
});

test('a stream that breaks leaves nothing and its own error climbs', async () => {
  const broken = new Error('the client went away');
  await expect(store.put(chunks(content, broken), noLimit)).rejects.toBe(broken);
  expect(await filesIn(folder)).toEqual([]);
});

test('content that is not what was announced is refused', async () => {
  await expect(store.receive('0'.repeat(64), chunks(content))).rejects.toMatchObject({ word: 'unavailable' });
  expect(await filesIn(folder)).toEqual([]);
  expect(await readFile(await store.receive(sha, chunks(content)))).toEqual(content);
});

test.each(['../../etc/passwd', '', sha.toUpperCase(), `${sha}/../x`, 'incoming'])(
  'a name that is no SHA-256 names nothing: %j',
  async (name) => {
    expect(await store.open(name)).toBeNull();
    expect(await store.find(name)).toBeNull();
  },
);

test('a sweep removes what was abandoned an hour ago and nothing else', async () => {
  await store.put(chunks(content), noLimit);
  await store.stage(chunks(Buffer.from('running upload')), noLimit);
  const abandoned = join(folder, 'incoming', 'abandoned');
  await writeFile(abandoned, 'half a mod');
  const now = Date.now();
  await utimes(abandoned, now / 1000, (now - 61 * 60 * 1000) / 1000);
  expect(await store.sweep(now)).toBe(1);
  expect(await filesIn(folder)).toHaveLength(2);
  expect(await store.sweep(now)).toBe(0);
});

test('kill -9 while a file arrives leaves nothing visible, and the same file can be put afterwards', async () => {
  const source = fileURLToPath(new URL('./local-artifact-store.ts', import.meta.url));
  const script = `
    const { LocalArtifactStore } = await import(${JSON.stringify(source)});
    await new LocalArtifactStore(${JSON.stringify(folder)}).put(process.stdin, { limitBytes: 1e9 });`;
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.write(content);
  // The first bytes are on disk: the upload is under way, and its input is still open.
  await expect.poll(async () => (await sizesIn(join(folder, 'incoming'))).join(), { timeout: 10_000 }).toBe('7');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await store.find(sha)).toBeNull();
  expect(await store.put(chunks(content), noLimit)).toEqual({ sha, sizeBytes: 7 });
  expect(await store.sweep(Date.now() + 2 * 60 * 60 * 1000)).toBe(1);
  expect(await filesIn(folder)).toEqual([sha]);
});

async function sizesIn(path: string): Promise<number[]> {
  const names = await readdir(path).catch(() => []);
  return Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
}
