import { execFile } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Python on this machine. */
export interface Interpreter {
  /** The real program, links resolved. */
  readonly path: string;
  /** Major and minor, for example 3.11. */
  readonly version: string;
  /** Folders that a jail must see for it to work, beyond /usr. */
  readonly folders: readonly string[];
}

/** Which Pythons an SDK version installs on, newest fitting first. Other versions are taken to be like the newest. */
export function pythonVersionsFor(sdkVersion: string): readonly string[] {
  return sdkVersion.startsWith('2023.') ? ['3.9'] : ['3.11', '3.12', '3.10'];
}

/** The first interpreter on PATH or under pyenv whose version is wanted, in the order of the wish; null when none is. */
export async function findInterpreter(
  versions: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Interpreter | null> {
  for (const version of versions) {
    for (const candidate of candidates(version, env)) {
      const interpreter = await probe(candidate, version);
      if (interpreter !== null) return interpreter;
    }
  }
  return null;
}

function candidates(version: string, env: Readonly<Record<string, string | undefined>>): string[] {
  const pyenv = join(env['PYENV_ROOT'] ?? join(env['HOME'] ?? '/', '.pyenv'), 'versions');
  const managed = existsSync(pyenv) ? readdirSync(pyenv).filter((name) => name.startsWith(`${version}.`)) : [];
  const folders = (env['PATH'] ?? '').split(':').filter((folder) => folder !== '' && !folder.endsWith('/shims'));
  return [
    ...folders.map((folder) => join(folder, `python${version}`)),
    ...managed.map((name) => join(pyenv, name, 'bin', `python${version}`)),
    ...folders.map((folder) => join(folder, 'python3')),
  ].filter((path) => existsSync(path));
}

async function probe(path: string, version: string): Promise<Interpreter | null> {
  const question =
    'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.base_prefix); print(sys.base_exec_prefix)';
  try {
    const { stdout } = await run(path, ['-I', '-c', question], { timeout: 10_000 });
    const [found, prefix = '', execPrefix = ''] = stdout.trim().split('\n');
    if (found !== version) return null;
    const real = realpathSync(path);
    const folders = new Set([prefix, execPrefix, dirname(dirname(real))].filter((folder) => folder !== '/usr'));
    return { path: real, version, folders: [...folders] };
  } catch {
    return null;
  }
}
