// Python environments for the acceptance tests, the bench and the tutorial: made on first use in .cache/python or
// another folder, kept by the hash of what they hold. Packages come from the index that the user's pip is set to.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cacheFolder = resolve(import.meta.dirname, '../.cache/python');

export interface PythonEnvironmentSpec {
  readonly name: string;
  /** Major and minor, for example `3.11`; a list means the first one that this machine has. */
  readonly python: string | readonly string[];
  /** pip requirement lines, exact versions. */
  readonly requirements: readonly string[];
  /** A Python statement that completes the installation; its HOME is the environment's own folder `home`. */
  readonly finish?: string;
}

/** This machine has no interpreter of the version that an environment needs; the message says where it was looked for. */
export class PythonMissing extends Error {
  override readonly name = 'PythonMissing';
}

/**
 * Absolute path of the environment's interpreter, which is <environment>/bin/python; the environment is installed below
 * `parent` first when it is not there yet.
 * @throws PythonMissing without a fitting interpreter; an Error with pip's last lines when the installation fails.
 */
export async function ensurePythonEnvironment(spec: PythonEnvironmentSpec, parent = cacheFolder): Promise<string> {
  const interpreter = await findPython(spec.python);
  const content = [interpreter, spec.requirements, ...(spec.finish === undefined ? [] : [spec.finish])];
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  await mkdir(parent, { recursive: true });
  // An environment's scripts name its interpreter by the path it was made under: a link that goes would break them.
  const folder = join(await realpath(parent), `${spec.name}-${hash.slice(0, 12)}`);
  const python = join(folder, 'bin/python');
  const stamp = join(folder, 'installed');
  if (existsSync(stamp)) return python;
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(stamp)) return;
    process.stderr.write(`Installing the Python environment ${spec.name} (${spec.requirements.join(' ')}) …\n`);
    await rm(folder, { recursive: true, force: true });
    await install(interpreter, folder, spec);
    await writeFile(stamp, `${spec.requirements.join('\n')}\n`);
  });
  return python;
}

/** The process's environment without what would make a Python of ours slow or load foreign packages. */
export function pythonProcessEnvironment(additions: Record<string, string> = {}): Record<string, string> {
  const unwanted = new Set(['PYTHONDONTWRITEBYTECODE', 'PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV']);
  const kept = Object.entries(process.env).filter(([name, value]) => value !== undefined && !unwanted.has(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), PYTHONUNBUFFERED: '1', ...additions };
}

/** Absolute path of an interpreter of the wanted version, from PATH or pyenv. */
export async function findPython(versions: string | readonly string[]): Promise<string> {
  for (const version of [versions].flat()) {
    for (const candidate of [`python${version}`, ...(await pyenvInterpreters(version)), 'python3']) {
      const path = await askInterpreter(candidate, version);
      if (path !== undefined) return path;
    }
  }
  throw new PythonMissing(
    `Python ${[versions].flat().join(' or ')} is neither on PATH nor under ${pyenvFolder()}. Install it (for example \`pyenv install ${[versions].flat()[0]}\`).`,
  );
}

function pyenvFolder(): string {
  return join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
}

async function pyenvInterpreters(version: string): Promise<string[]> {
  const names = await readdir(pyenvFolder()).catch(() => []);
  return names.filter((name) => name.startsWith(`${version}.`)).map((name) => join(pyenvFolder(), name, 'bin/python'));
}

/** The interpreter's own path, so that a pyenv shim is never stored; undefined when it is absent or of another version. */
async function askInterpreter(candidate: string, version: string): Promise<string | undefined> {
  const question = 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)';
  try {
    const { stdout } = await run(candidate, ['-c', question], { env: pythonProcessEnvironment() });
    const [found, path] = stdout.trim().split('\n');
    return found === version ? path : undefined;
  } catch {
    return undefined;
  }
}

async function install(interpreter: string, folder: string, spec: PythonEnvironmentSpec): Promise<void> {
  const options = { env: pythonProcessEnvironment(), maxBuffer: 64 * 1024 * 1024 };
  try {
    await run(interpreter, ['-m', 'venv', folder], options);
    await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...spec.requirements], options);
    if (spec.finish !== undefined) {
      await mkdir(join(folder, 'home'));
      const env = pythonProcessEnvironment({ HOME: join(folder, 'home') });
      await run(join(folder, 'bin/python'), ['-c', spec.finish], { ...options, env });
    }
  } catch (error) {
    const output = `${(error as { stderr?: string }).stderr ?? error}`.trim().split('\n').slice(-8).join('\n');
    throw new Error(`The Python environment ${spec.name} cannot be installed:\n${output}`);
  }
}

/** One process at a time; the lock of a process that no longer lives is taken over. */
async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  while (true) {
    const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (file !== undefined) {
      await file.writeFile(String(process.pid));
      await file.close();
      break;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) await rm(path, { force: true });
    else await sleep(200);
  }
  try {
    await work();
  } finally {
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
