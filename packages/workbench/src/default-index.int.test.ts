import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { findDefaultIndex } from './default-index.ts';
import { findInterpreter } from './interpreter.ts';

let python: string;
beforeAll(async () => {
  const found = await findInterpreter(['3.11', '3.12', '3.10', '3.13', '3.9'], process.env);
  if (found === null) throw new Error('These tests need a Python from 3.9 on; on Debian: apt install python3.');
  python = found.path;
});

test('the hosts of the standard index are those that pip itself tells in its help, and where its files are', async ({
  skip,
}) => {
  const help = pipHelp();
  if (help === null) return skip('This Python has no pip.');
  const host = new URL(/default (https:\/\/[^)\s]+)/.exec(help)?.[1] as string).hostname;
  const found = await findDefaultIndex(python);
  expect(found[0]).toEqual({ host, port: 443 });
  expect(found).toHaveLength(2);
});

test('there are none without an interpreter', async () => {
  expect(await findDefaultIndex('/nonexistent/python')).toEqual([]);
});

function pipHelp(): string | null {
  try {
    const help = execFileSync(python, ['-I', '-m', 'pip', 'install', '--help'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return help.toString().replace(/\s+/g, ' ');
  } catch {
    return null;
  }
}
