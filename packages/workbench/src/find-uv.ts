import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@pademelon/domain';

const run = promisify(execFile);

/** The uv that was tried with this worker. */
const uvVersion = '0.13.9';

/**
 * The path of uv: the one on PATH, else one that is installed from the package index into a folder of the worker's at
 * first need, by the pip of a virtual environment made with the interpreter.
 */
export async function findUv(folder: string, interpreterPath: string): Promise<string> {
  for (const place of (process.env['PATH'] ?? '').split(':')) {
    if (place !== '' && existsSync(join(place, 'uv'))) return realpathSync(join(place, 'uv'));
  }
  const ready = join(folder, `uv-${uvVersion}`);
  if (!existsSync(ready)) await install(ready, interpreterPath);
  return join(ready, 'bin', 'uv');
}

async function install(ready: string, interpreterPath: string): Promise<void> {
  const building = `${ready}.${process.pid}`;
  mkdirSync(join(ready, '..'), { recursive: true });
  try {
    await run(interpreterPath, ['-m', 'venv', building], { timeout: 120_000 });
    await run(join(building, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `uv==${uvVersion}`], {
      timeout: 300_000,
    });
    await rename(building, ready).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } catch (cause) {
    throw new DomainError(
      'unavailable',
      'uv, which builds the environments of orchestrations, could not be installed. Put uv on the PATH, or make python3-venv and the package index available.',
      { cause },
    );
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}
