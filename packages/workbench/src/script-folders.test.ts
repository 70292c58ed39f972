import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildZip } from '@pademelon/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScriptFolders } from './script-folders.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pademelon-scripts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const step = 'def process_data(x):\n    return x\n';

function place(content: string | Buffer) {
  const file = join(folder, 'upload');
  writeFileSync(file, content);
  return { file, sha: createHash('sha256').update(content).digest('hex') };
}

test('a script is unpacked once, also by many at once, and marked as used each time', async () => {
  const { file, sha } = place(step);
  const upload = { sha, fileName: 'post.py', requirements: ['scipy==1.13'] };
  const root = join(folder, 'scripts');
  const all = await Promise.all(Array.from({ length: 8 }, () => new ScriptFolders(root).ensure(upload, file)));
  expect(new Set(all.map(({ path }) => path)).size).toBe(1);
  expect(readdirSync(root)).toHaveLength(1);
  expect(all[0]).toMatchObject({ requirements: [{ name: 'scipy' }], notes: [] });
  expect(readFileSync(all[0]!.path, 'utf8')).toBe(step);
  utimesSync(all[0]!.folder, new Date(0), new Date(0));
  await new ScriptFolders(root).ensure(upload, file);
  expect(statSync(all[0]!.folder).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
});

test('the same content under another name is another script, and a zip keeps its folders', async () => {
  const scripts = new ScriptFolders(join(folder, 'scripts'));
  const { file, sha } = place(step);
  const first = await scripts.ensure({ sha, fileName: 'a.py', requirements: [] }, file);
  const second = await scripts.ensure({ sha, fileName: 'b.py', requirements: [] }, file);
  expect([first.path, second.path].map((path) => path.split('/').at(-1))).toEqual(['a.py', 'b.py']);
  const zip = place(
    buildZip([
      { name: 'deep/post.py', content: step },
      { name: 'deep/data.txt', content: '3' },
    ]),
  );
  const third = await scripts.ensure({ sha: zip.sha, fileName: 'c.zip', requirements: [] }, zip.file);
  expect(third.path).toBe(join(third.folder, 'deep/post.py'));
  expect(readdirSync(join(third.folder, 'deep')).sort()).toEqual(['data.txt', 'post.py']);
});

test('a script that is refused leaves nothing', async () => {
  const { file, sha } = place('no step');
  const scripts = new ScriptFolders(join(folder, 'scripts'));
  await expect(scripts.ensure({ sha, fileName: 'a.py', requirements: [] }, file)).rejects.toThrow(
    'defines process_data',
  );
  await expect(
    scripts.ensure({ ...place(step), fileName: 'a.py', requirements: ['-e .'] }, join(folder, 'upload')),
  ).rejects.toThrow('options are not allowed');
  expect(readdirSync(join(folder, 'scripts')).filter((name) => name.includes('.'))).toEqual([]);
});
