import { join } from 'node:path';
import { read, readBaseSettings, readChoice, readInteger } from '@pademelon/runtime';
import type { PythonProgramsOptions } from './python-programs.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Settings = Omit<PythonProgramsOptions, 'files' | 'podFolder' | 'loadDeadlineMs' | 'logger'>;

/**
 * Settings of Python steps, from the environment; those that workers have, too, must be the same for both, or each builds
 * environments of its own.
 */
export function readPythonSettings(env: Environment, home: string): Settings {
  return {
    workFolder: read(env, 'PADEMELON_WORK') ?? join(home, 'work'),
    sandbox: readChoice(env, 'PADEMELON_SANDBOX', ['auto', 'required', 'off'], 'auto'),
    base: readBaseSettings(env),
    buildTimeoutMs: readInteger(env, 'PADEMELON_BUILD_SECONDS', { fallback: 600, min: 0, max: 86_400 }) * 1_000,
    buildAllow: read(env, 'PADEMELON_BUILD_ALLOW') ?? '',
    memoryBytes: readInteger(env, 'PADEMELON_STEP_MEMORY_MIB', { fallback: 2_048, min: 64, max: 1e7 }) * 2 ** 20,
  };
}
