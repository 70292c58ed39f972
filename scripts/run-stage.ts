import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from './stages.ts';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is read of Vitest's JSON report. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    /** Why a file could not be run. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export interface StageResult {
  readonly counts: Counts;
  /** One paragraph for each test that failed, or file that could not be run: where it is, its name, and why. */
  readonly failures: readonly string[];
}

export interface StageRun {
  readonly result: Promise<StageResult>;
  /** Ends the stage and everything that it started. */
  kill(): void;
}

/** Runs one stage in `repository` with its output on our terminal. */
export function runStage(stage: Stage, repository: string): StageRun {
  const reports = join(repository, '.cache', 'reports');
  const report = join(reports, `${stage.name}.json`);
  mkdirSync(reports, { recursive: true });
  rmSync(report, { force: true });
  const [program, ...args] = stage.command as [string, ...string[]];
  const reporting = stage.isVitest ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : [];
  const child = spawn(program, [...args, ...reporting], { cwd: repository, stdio: 'inherit', detached: true });
  const kill = (): void => killGroup(child);
  return { result: finish(stage, child, report), kill };
}

async function finish(stage: Stage, child: ChildProcess, report: string): Promise<StageResult> {
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    killGroup(child);
  }, stage.deadlineMinutes * 60_000);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (isLate) console.log(`${stage.title}: stopped after ${stage.deadlineMinutes} minutes`);
    if (!stage.isVitest) return { counts: countCommand(code), failures: [] };
    const vitest = readReport(report);
    return { counts: countVitest(vitest, code), failures: vitest === undefined ? [] : failuresIn(vitest) };
  } catch (error) {
    console.log(`${stage.title}: ${(error as Error).message}`);
    return { counts: { passed: 0, failed: 1, skipped: 0 }, failures: [] };
  } finally {
    clearTimeout(deadline);
    // Servers that a test forgot.
    killGroup(child);
  }
}

function countCommand(code: number | null): Counts {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/**
 * Adds a run of Vitest up. What fails outside of any test (a file that cannot be loaded, an unhandled error, a run that
 * was killed before its report) counts as one failure, so that it cannot pass unseen.
 */
export function countVitest(report: VitestReport | undefined, code: number | null): Counts {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report;
  const hasHiddenFailure = numFailedTests === 0 && (code !== 0 || report.numFailedTestSuites > 0);
  return {
    passed: numPassedTests,
    failed: numFailedTests + (hasHiddenFailure ? 1 : 0),
    skipped: numPendingTests + numTodoTests,
  };
}

/** The failures of a run of Vitest, so that the end of a long output can name them again. */
export function failuresIn({ testResults }: Pick<VitestReport, 'testResults'>): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => [
    ...(message === '' ? [] : [`${name}\n${message}`]),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${name}: ${fullName}\n${failureMessages.join('\n')}`),
  ]);
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
