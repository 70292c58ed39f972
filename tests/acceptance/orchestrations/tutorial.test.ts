import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../../packages/runtime/src/ports.ts';
import { findPython, PythonMissing } from '../../../scripts/python-environment.ts';
import { repositoryFolder } from '../support/repository.ts';
import { until } from '../support/until.ts';

const hasPython = await findPython(['3.11', '3.12', '3.10']).catch((error: unknown) => {
  if (error instanceof PythonMissing && !process.env['CI']) return undefined;
  throw error;
});

interface Tutorial {
  readonly process: ChildProcess;
  readonly home: string;
  output(): string;
}

/** Runs the command in a data folder of its own, whose Python environments are those that the tests keep. */
async function startTutorial(): Promise<Tutorial> {
  const home = mkdtempSync(join(tmpdir(), 'pademelon-tutorial-test-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 10 }));
  const environments = join(repositoryFolder, '.cache/python');
  mkdirSync(environments, { recursive: true });
  symlinkSync(environments, join(home, 'tools'));
  const child = spawn('sh', ['scripts/bootstrap.sh', 'tutorial'], {
    cwd: repositoryFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PADEMELON_HOME: home, PORT: String(await findFreePort()) },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { process: child, home, output: () => output };
}

/** Command lines of processes that were told of this data folder. */
function processesOf(home: string): string[] {
  const read = (pid: string, name: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  };
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return numbers
    .filter((pid) => `${read(pid, 'cmdline')} ${read(pid, 'environ')}`.includes(home))
    .map((pid) => read(pid, 'cmdline'));
}

describe.skipIf(hasPython === undefined)('npm run tutorial', () => {
  it('walks through the whole flow to a table of results, and leaves nothing running', async () => {
    const startedAt = performance.now();
    const tutorial = await startTutorial();
    const [code] = await once(tutorial.process, 'close');
    expect(code, tutorial.output()).toBe(0);
    console.log(`npm run tutorial: ${((performance.now() - startedAt) / 1000).toFixed(0)} s in a fresh data folder`);
    const output = tutorial.output();
    const headlines = [...output.matchAll(/^(\d)\. /gm)].map(([, number]) => Number(number));
    expect(headlines).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(output).toMatch(/priced at +bedrooms .* predicted +market +check_failures/);
    expect(output.match(/^ +\d\d:\d\d:\d\d( +[\d.]+){6}( +[\d,]+){2} +0$/gm)).toHaveLength(12);
    expect(output).toContain('24 rows: 12 of the run by hand and 12 of the schedule.');
    expect(processesOf(tutorial.home)).toEqual([]);
  }, 600_000);

  it('stops all that it has started when it is interrupted', async () => {
    const tutorial = await startTutorial();
    const isWalking = async () => tutorial.output().includes('1. Log in');
    await until(isWalking, { withinMs: 240_000, what: () => `the first step\n${tutorial.output()}` });
    expect(processesOf(tutorial.home).length).toBeGreaterThan(3);
    tutorial.process.kill('SIGINT');
    const [code] = await once(tutorial.process, 'close');
    expect(code).not.toBe(0);
    expect(processesOf(tutorial.home)).toEqual([]);
  }, 300_000);
});
