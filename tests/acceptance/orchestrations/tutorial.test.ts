import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../../packages/runtime/src/ports.ts';
import { findPython, PythonMissing } from '../../../scripts/python-environment.ts';
import { startPlatform } from '../support/platform.ts';
import { repositoryFolder } from '../support/repository.ts';
import { until } from '../support/until.ts';

const hasPython = await findPython(['3.11', '3.12', '3.10']).catch((error: unknown) => {
  if (error instanceof PythonMissing && !process.env['CI']) return undefined;
  throw error;
});

interface Tutorial {
  readonly process: ChildProcess;
  output(): string;
}

/** A fresh data folder, whose Python environments are those that the tests keep. */
function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'pademelon-tutorial-test-'));
  const environments = join(repositoryFolder, '.cache/python');
  mkdirSync(environments, { recursive: true });
  symlinkSync(environments, join(home, 'tools'));
  return home;
}

function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true, maxRetries: 10 });
}

async function startTutorial(home: string, port?: number): Promise<Tutorial> {
  const child = spawn('sh', ['scripts/bootstrap.sh', 'tutorial'], {
    cwd: repositoryFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PADEMELON_HOME: home, PORT: String(port ?? (await findFreePort())) },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { process: child, output: () => output };
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

/** The settings with which the tutorial's page tells to start a platform. */
function settingsOfReadme(): Record<string, string> {
  const text = readFileSync(join(repositoryFolder, 'examples/house-price/README.md'), 'utf8');
  const [, line] = /^((?:PADEMELON_\w+=\S+ )+)npm start$/m.exec(text) ?? [];
  return Object.fromEntries(
    (line ?? '')
      .trim()
      .split(' ')
      .map((setting) => setting.split('=') as [string, string]),
  );
}

/** Waits for its end, which must be a good one with the whole table. Resolves to what it printed. */
async function untilWalked(tutorial: Tutorial): Promise<string> {
  const [code] = await once(tutorial.process, 'close');
  const output = tutorial.output();
  expect(code, output).toBe(0);
  const headlines = [...output.matchAll(/^(\d)\. /gm)].map(([, number]) => Number(number));
  expect(headlines).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(output).toMatch(/priced at +bedrooms .* predicted +market +check_failures/);
  expect(output.match(/^ +\d\d:\d\d:\d\d( +[\d.]+){6}( +[\d,]+){2} +0$/gm)).toHaveLength(12);
  expect(output).toContain('24 rows: 12 of the run by hand and 12 of the schedule.');
  return output;
}

describe.skipIf(hasPython === undefined)('npm run tutorial', () => {
  let home: string;
  beforeAll(() => {
    home = makeHome();
  });
  afterAll(() => removeHome(home));

  it('walks through the whole flow to a table of results, and leaves nothing running', async () => {
    const startedAt = performance.now();
    const output = await untilWalked(await startTutorial(home));
    console.log(`npm run tutorial: ${((performance.now() - startedAt) / 1000).toFixed(0)} s in a fresh data folder`);
    expect(output).toContain('Starting the platform at ');
    expect(processesOf(home)).toEqual([]);
  }, 600_000);

  // In the same data folder: what the first tutorial left there must not be in the way of the second.
  it('walks through it again with a platform that runs already, and leaves that running', async () => {
    const platform = await startPlatform({ home, env: settingsOfReadme() });
    onTestFinished(() => platform.stop());
    const startedAt = performance.now();
    const output = await untilWalked(await startTutorial(home, Number(new URL(platform.url).port)));
    console.log(`npm run tutorial: ${((performance.now() - startedAt) / 1000).toFixed(0)} s with a platform that runs`);
    expect(output).toContain(`Using the platform that runs at ${platform.url}.`);
    expect((await fetch(`${platform.url}/readyz`)).status).toBe(200);
    await platform.stop();
    expect(processesOf(home)).toEqual([]);
  }, 600_000);

  it('stops all that it has started when it is interrupted', async () => {
    const ownHome = makeHome();
    onTestFinished(() => removeHome(ownHome));
    const tutorial = await startTutorial(ownHome);
    const isWalking = async () => tutorial.output().includes('1. Log in');
    await until(isWalking, { withinMs: 240_000, what: () => `the first step\n${tutorial.output()}` });
    expect(processesOf(ownHome).length).toBeGreaterThan(3);
    tutorial.process.kill('SIGINT');
    const [code] = await once(tutorial.process, 'close');
    expect(code).not.toBe(0);
    expect(processesOf(ownHome)).toEqual([]);
  }, 300_000);
});
