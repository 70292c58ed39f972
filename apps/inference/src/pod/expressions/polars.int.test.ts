import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ensurePythonEnvironment, PythonMissing } from '../../../../../scripts/python-environment.ts';
import { sdkEnvironments } from '../../../../../scripts/python-environments.ts';
import { disagreement, readPolarsCases } from './polars-cases.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
let python: string | PythonMissing;

beforeAll(async () => {
  try {
    python = await ensurePythonEnvironment(sdkEnvironments['2026']);
  } catch (error) {
    if (!(error instanceof PythonMissing) || process.env['CI'] !== undefined) throw error;
    python = error;
  }
}, 600_000);

/** The real polars, in the release that the SDK pins, computes the expressions and writes them as the SDK sends them. */
function askPolars(...options: string[]): string {
  const answer = spawnSync(python as string, ['-B', join(fixtures, 'polars_cases.py'), ...options], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, POLARS_MAX_THREADS: '1' },
  });
  if (answer.status !== 0)
    throw new Error(`polars_cases.py ended with ${answer.status}: ${answer.stderr.slice(-2000)}`);
  return answer.stdout;
}

it('polars computes what the committed cases say it does', ({ skip }) => {
  if (python instanceof PythonMissing) return skip(python.message);
  const { cases } = readPolarsCases(askPolars('fixed'));
  const committed = readPolarsCases(readFileSync(join(fixtures, 'polars-cases.jsonl'), 'utf8'));
  expect(committed.cases.slice(0, cases.length)).toEqual(cases);
});

it('we agree with polars on 1,000 expressions that nobody chose', ({ skip }) => {
  if (python instanceof PythonMissing) return skip(python.message);
  const { columns, cases } = readPolarsCases(askPolars('random', '100000', '1000'));
  const disagreements = cases.flatMap((each) => {
    const complaint = disagreement(each, columns);
    return complaint === null ? [] : [`${complaint}: ${each.expression}`];
  });
  expect(cases).toHaveLength(1000);
  expect(disagreements).toEqual([]);
}, 300_000);
