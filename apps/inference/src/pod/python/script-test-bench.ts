import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PythonProgram } from '@pademelon/contracts';
import { type Environment, prepareStep, probeSandbox, type SandboxStatus } from '@pademelon/workbench';
import { ensurePythonEnvironment } from '../../../../../scripts/python-environment.ts';
import { sdkEnvironments } from '../../../../../scripts/python-environments.ts';

/** For tests: scripts as programs that a pod can start, in the environment that the platform would build for them. */

export const unsandboxed: SandboxStatus = { level: 'process', warning: null, bubblewrap: null };

/** What this machine has. In CI that is a jail, or the tests of jails would not be worth their name. */
export async function findSandbox(): Promise<SandboxStatus> {
  const status = await probeSandbox();
  if (status.level !== 'jail' && process.env['CI'] !== undefined)
    throw new Error(status.warning ?? 'There is no jail.');
  return status;
}

export async function findEnvironment(): Promise<Environment> {
  const python = await ensurePythonEnvironment(sdkEnvironments['2026']);
  const path = realpathSync(python);
  const prefix = dirname(dirname(path));
  const interpreter = { path, version: '3.11', folders: prefix === '/usr' ? [] : [prefix] };
  return { hash: 'test', folder: dirname(dirname(python)), cacheFolder: null, interpreter };
}

export interface ScriptOptions {
  readonly sandbox: SandboxStatus;
  readonly environment: Environment;
  readonly inputSchema?: string;
  readonly outputSchema?: string;
  readonly limits?: Partial<PythonProgram['limits']>;
  /** Further files beside the script. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes `step.py` into a folder of its own; `remove` deletes it. */
export function placeScript(code: string, options: ScriptOptions): { program: PythonProgram; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-step-'));
  const { sandbox, environment, inputSchema = null, outputSchema = null, limits } = options;
  mkdirSync(join(folder, 'script'));
  const path = join(folder, 'script', 'step.py');
  for (const [name, text] of Object.entries({ 'step.py': code, ...options.files })) {
    writeFileSync(join(folder, 'script', name), text);
  }
  const script = { path, inputSchema, outputSchema };
  const launch = prepareStep({ sandbox, environment, folder: join(folder, 'launch'), script, threads: 1, tasks: 256 });
  return {
    program: { launch, limits: { memoryBytes: 2 ** 30, processes: 32, loadDeadlineMs: 30_000, ...limits } },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
