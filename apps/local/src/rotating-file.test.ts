import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { RotatingFile } from './rotating-file.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rotating-file-'));
  folders.push(folder);
  return folder;
}

it('appends to what is there, readable by its owner only', () => {
  const file = join(makeFolder(), 'a.log');
  for (const line of ['one', 'two']) {
    const log = new RotatingFile(file);
    log.write(line);
    log.close();
  }
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('never grows beyond its limit, and keeps the newest lines in so many files', () => {
  const folder = makeFolder();
  const log = new RotatingFile(join(folder, 'a.log'), { limitBytes: 20, keep: 2 });
  for (let number = 10; number < 40; number += 1) log.write(`line ${number}`);
  log.close();
  expect(readdirSync(folder).sort()).toEqual(['a.log', 'a.log.1', 'a.log.2']);
  expect(['a.log.2', 'a.log.1', 'a.log'].map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual([
    'line 34\nline 35\n',
    'line 36\nline 37\n',
    'line 38\nline 39\n',
  ]);
});

it('counts what an earlier start has written', () => {
  const folder = makeFolder();
  for (const line of ['0123456789', 'abcdefghij']) {
    const log = new RotatingFile(join(folder, 'a.log'), { limitBytes: 15 });
    log.write(line);
    log.close();
  }
  expect(readFileSync(join(folder, 'a.log'), 'utf8')).toBe('abcdefghij\n');
  expect(readFileSync(join(folder, 'a.log.1'), 'utf8')).toBe('0123456789\n');
});

it('takes a line that is larger than the limit', () => {
  const folder = makeFolder();
  const log = new RotatingFile(join(folder, 'a.log'), { limitBytes: 5 });
  log.write('a long line');
  log.close();
  expect(readdirSync(folder)).toEqual(['a.log']);
});
