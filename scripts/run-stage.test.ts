import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { countVitest, failuresIn, runStage } from './run-stage.ts';
import { chooseStages, type Stage, stages } from './stages.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function run(command: readonly string[], more: Partial<Stage> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'stage-'));
  folders.push(folder);
  return runStage({ name: 'x', title: 'X', command, deadlineMinutes: 1, ...more }, folder).result.then(
    ({ counts }) => counts,
  );
}

const report = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  numFailedTestSuites: 0,
  testResults: [],
};

it('counts a command as one test', async () => {
  expect(await run(['true'])).toEqual({ passed: 1, failed: 0, skipped: 0 });
  expect(await run(['false'])).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

it('counts a command that is missing, killed or late as failed', async () => {
  const failed = { passed: 0, failed: 1, skipped: 0 };
  expect(await run(['no-such-command-anywhere'])).toEqual(failed);
  expect(await run(['sh', '-c', 'kill -9 $$'])).toEqual(failed);
  expect(await run(['sleep', '60'], { deadlineMinutes: 0.002 })).toEqual(failed);
});

it('counts the tests of Vitest', () => {
  expect(countVitest(report, 0)).toEqual({ passed: 3, failed: 0, skipped: 2 });
  expect(countVitest({ ...report, numFailedTests: 2 }, 1)).toEqual({ passed: 3, failed: 2, skipped: 2 });
});

it('names what failed, and why', () => {
  const passed = { fullName: 'adds', status: 'passed', failureMessages: [] };
  const failed = { fullName: 'takes away', status: 'failed', failureMessages: ['expected 1 to be 2'] };
  expect(
    failuresIn({
      testResults: [
        { name: 'a.test.ts', message: '', assertionResults: [passed, failed] },
        { name: 'b.test.ts', message: 'cannot be loaded', assertionResults: [] },
      ],
    }),
  ).toEqual(['a.test.ts: takes away\nexpected 1 to be 2', 'b.test.ts\ncannot be loaded']);
});

it('lets no failure outside of the tests pass unseen', async () => {
  expect(countVitest({ ...report, numFailedTestSuites: 1 }, 1).failed).toBe(1);
  expect(countVitest(report, 1).failed).toBe(1);
  expect(countVitest(undefined, 0).failed).toBe(1);
  expect(await run(['true'], { isVitest: true })).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

it('runs everything for test, the quick stages for check, and what is named', () => {
  expect(chooseStages('test', [])).toBe(stages);
  expect(chooseStages('check', []).map((stage) => stage.name)).toEqual([
    'lint',
    'generate',
    'types',
    'rooms',
    'sizes',
    'unit',
  ]);
  expect(chooseStages('test', ['unit', 'lint']).map((stage) => stage.name)).toEqual(['lint', 'unit']);
  expect(() => chooseStages('test', ['unti'])).toThrow('There is no stage unti.');
});
