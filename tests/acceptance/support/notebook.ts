import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  ensurePythonEnvironment,
  type PythonEnvironmentSpec,
  PythonMissing,
  pythonProcessEnvironment,
} from '../../../scripts/python-environment.ts';
import { sdkEnvironments } from '../../../scripts/python-environments.ts';
import type { Platform } from './platform.ts';
import { assetPath, hasAssets } from './repository.ts';

export type Generation = keyof typeof sdkEnvironments;

export interface NotebookOptions {
  readonly generations?: readonly Generation[];
  /** Told apart in the test's name, for the same notebook under other settings. */
  readonly variant?: string;
  /** Variables of the notebook's process; a function is asked when it starts. */
  readonly env?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  /** Where it runs; the SDK alone by default. */
  readonly environments?: Readonly<Record<Generation, PythonEnvironmentSpec>>;
  /** A platform of the file's own instead of that of all files. */
  readonly platform?: () => Platform;
  /** It brings its model and data, so that it runs without the tutorials' ones. */
  readonly isWithoutAssets?: boolean;
  /** Called with each line that the notebook prints, as it is printed. */
  readonly onLine?: (line: string) => void;
}

interface Cell {
  readonly name: string;
  readonly sentence: string;
  readonly only: string | undefined;
}

interface CellResult {
  readonly cell: string;
  readonly outcome: 'passed' | 'failed';
  readonly output: string;
}

const notebooksFolder = resolve(import.meta.dirname, '../notebooks');

/**
 * Declares one test for each cell of `notebooks/<name>.py`, run as a user would run it: one Python process with the
 * unmodified SDK, logged in by its environment, a home folder of its own.
 */
export function runNotebook(name: string, options: NotebookOptions = {}): void {
  for (const generation of options.generations ?? (['2023', '2026'] as const)) {
    const { requirements } = sdkEnvironments[generation];
    const variant = options.variant === undefined ? '' : `, ${options.variant}`;
    describe(`${name} with ${requirements[0]}${variant}`, () => declareCells(name, generation, options));
  }
}

function declareCells(name: string, generation: Generation, options: NotebookOptions): void {
  const results = new Map<string, CellResult>();
  let unavailable: string | undefined;
  let ending = '';
  let folder = '';

  beforeAll(async () => {
    if (!hasAssets && !options.isWithoutAssets) {
      unavailable = 'the tutorials’ models and data (../shared/assets) are not on this machine';
      return;
    }
    const python = await sdkPython(generation, options.environments);
    if (typeof python !== 'string') {
      unavailable = python.missing;
      return;
    }
    folder = await mkdtemp(join(tmpdir(), 'pademelon-notebook-'));
    ending = await runCells({ python, name, generation, folder, options, results });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  for (const cell of readCells(name)) {
    if (cell.only !== undefined && cell.only !== generation) continue;
    it(cell.sentence, ({ skip }) => {
      if (unavailable !== undefined) return skip(unavailable);
      const result = results.get(cell.name);
      if (result === undefined) expect.fail(`The notebook ended before this cell.\n${ending}`);
      if (result.outcome === 'failed') expect.fail(result.output);
    });
  }
}

/** The interpreter with the SDK, or why there is none; where CI is set a missing Python is an error. */
export async function sdkPython(
  generation: Generation,
  environments: Readonly<Record<Generation, PythonEnvironmentSpec>> = sdkEnvironments,
): Promise<string | { missing: string }> {
  try {
    return await ensurePythonEnvironment(environments[generation]);
  } catch (error) {
    if (error instanceof PythonMissing && !process.env['CI']) return { missing: error.message };
    throw error;
  }
}

/** Cells are functions `cell_…(n)` whose docstring is the behaviour; `@only("2023")` ties one to a generation. */
function readCells(name: string): Cell[] {
  const source = readFileSync(join(notebooksFolder, `${name}.py`), 'utf8');
  const pattern = /^(?:@only\("(\d+)"\)\n)?def (cell_\w+)\(n\):\n {4}"""(.+?)"""/gm;
  return [...source.matchAll(pattern)].map((match) => ({ only: match[1], name: match[2]!, sentence: match[3]! }));
}

interface CellRun {
  readonly python: string;
  readonly name: string;
  readonly generation: Generation;
  readonly folder: string;
  readonly options: NotebookOptions;
  readonly results: Map<string, CellResult>;
}

async function runCells(run: CellRun): Promise<string> {
  const { env = {}, platform = () => inject('platform') } = run.options;
  const { url, username, password } = platform();
  const reportPath = join(run.folder, 'report.jsonl');
  await mkdir(join(run.folder, 'home'));
  const notebook = spawn(run.python, [join(notebooksFolder, 'runner.py'), run.name, run.generation, reportPath], {
    cwd: run.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: pythonProcessEnvironment({
      HOME: join(run.folder, 'home'),
      XDG_CACHE_HOME: join(run.folder, 'home/.cache'),
      WALLAROO_URL: url,
      WALLAROO_AUTH_URL: url,
      WALLAROO_SDK_AUTH_TYPE: 'user_password',
      WALLAROO_USER: username,
      WALLAROO_PASSWORD: password,
      ASSETS: assetPath('.'),
      ...(typeof env === 'function' ? env() : env),
    }),
  });
  const output = await collectLines(notebook, run.options.onLine);
  for (const line of (await readFile(reportPath, 'utf8').catch(() => '')).split('\n').filter(Boolean)) {
    const result = JSON.parse(line) as CellResult;
    run.results.set(result.cell, result);
  }
  return output;
}

async function collectLines(
  child: ReturnType<typeof spawn>,
  onLine: ((line: string) => void) | undefined,
): Promise<string> {
  let output = '';
  let line = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-16 * 1024);
      const lines = (line + chunk).split('\n');
      line = lines.pop()!;
      for (const complete of lines) onLine?.(complete);
    });
  }
  await new Promise((done, fail) => child.once('close', done).once('error', fail));
  return output;
}
