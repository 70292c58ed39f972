import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StepLaunch } from '@pademelon/contracts';
import type { Environment } from './environment-builder.ts';
import { jailPaths, prepareClosedJail } from './jail-plan.ts';
import type { SandboxStatus } from './sandbox.ts';

/** The script of a Python step and what its uploader said of its columns. */
export interface StepScript {
  /** Path on this machine; the folder around it is what the script sees of it. */
  readonly path: string;
  /** Arrow schema messages in base64; null where the uploader gave none. */
  readonly inputSchema: string | null;
  readonly outputSchema: string | null;
}

export interface PythonStepOptions {
  readonly sandbox: SandboxStatus;
  readonly environment: Environment;
  /** A folder of its own on this machine, which must stay as long as the step may be started. */
  readonly folder: string;
  readonly script: StepScript;
  /** Threads for numeric libraries. */
  readonly threads: number;
  /** Processes and threads that it may have. */
  readonly tasks: number;
  /** Given, the script is only loaded; what is wrong with it is printed after this mark. */
  readonly checkMark?: string;
}

/** The program that serves a step: beside this file in the sources and, copied by the build, in dist/. */
const programFile = fileURLToPath(new URL('./step-program.py', import.meta.url));

const scriptFolder = '/opt/step';
const programInJail = '/run/pademelon/step-program.py';
const mebibyte = 1024 ** 2;

/** A step gets no network, nothing of this machine but its script and its environment, and no place that lasts. */
export function prepareStep(options: PythonStepOptions): StepLaunch {
  const { sandbox, environment, folder, script, tasks, checkMark = null } = options;
  mkdirSync(folder, { recursive: true });
  const isJail = sandbox.level === 'jail';
  const file = isJail ? join(scriptFolder, basename(script.path)) : script.path;
  const { inputSchema, outputSchema } = script;
  const python = join(isJail ? jailPaths.environment : environment.folder, 'bin', 'python');
  const plan = JSON.stringify({ script: file, inputSchema, outputSchema, tasks, checkMark });
  const variables = variablesFor(options, isJail ? jailPaths.home : folder);
  if (!isJail) {
    const args = ['-s', programFile, plan];
    return { command: python, args, seccompFile: null, environment: variables, workingFolder: folder };
  }
  const jail = prepareClosedJail({
    bubblewrap: sandbox.bubblewrap as string,
    folder,
    readOnly: environment.interpreter.folders.filter((path) => existsSync(path)),
    mounts: [
      [environment.folder, jailPaths.environment, false],
      [dirname(script.path), scriptFolder, false],
      [programFile, programInJail, false],
    ],
    environment: variables,
    command: [python, '-s', programInJail, plan],
    limits: { homeBytes: 64 * mebibyte, temporaryBytes: 256 * mebibyte },
  });
  return { ...jail, environment: {}, workingFolder: folder };
}

function variablesFor({ threads }: PythonStepOptions, home: string): Record<string, string> {
  return {
    HOME: home,
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    PYTHONUNBUFFERED: '1',
    // A pool for every core would make the steps of one machine stand in each other's way.
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
  };
}
