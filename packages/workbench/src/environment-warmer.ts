import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Interpreter } from './interpreter.ts';
import { type JailCommand, jailPaths, prepareJail } from './jail-plan.ts';
import { runStep } from './run-step.ts';
import type { SandboxStatus } from './sandbox.ts';

export interface EnvironmentWarmerOptions {
  /** Folder of the environments; what is made here goes to `warm/<hash>` in it. */
  readonly folder: string;
  readonly sandbox: SandboxStatus;
  readonly timeoutMs: number;
  /** An environment that could not be warmed works all the same, only slower. */
  readonly onProblem: (error: unknown) => void;
}

interface ColdEnvironment {
  readonly hash: string;
  readonly folder: string;
  readonly interpreter: Interpreter;
}

/**
 * Prints the cache of fonts that matplotlib would make in every run, whose home is always new. It is handed out through
 * the output, so that the packages of an environment, which are strangers, get no folder of ours to write to.
 */
const printFontCache = `
import json, os, sys
try:
    import matplotlib.font_manager as fonts
except ImportError:
    sys.exit(0)
folder = fonts.mpl.get_cachedir()
name = "fontlist-v%s.json" % fonts.FontManager.__version__
with open(os.path.join(folder, name)) as file:
    print(json.dumps([name, file.read()]))
`;

const maxCacheCharacters = 4 * 1024 ** 2;

/**
 * Makes environments start faster, in the background and one at a time, after they are ready: byte code for all modules
 * (no run can write it, their environment is read-only), and matplotlib's font cache. Importing the SDK takes 5 s before
 * and 1 s after.
 */
export class EnvironmentWarmer {
  readonly #options: EnvironmentWarmerOptions;
  /** Those that are being warmed or could not be: neither is begun again. */
  readonly #known = new Set<string>();
  readonly #stopped = new AbortController();
  #working: Promise<void> = Promise.resolve();

  constructor(options: EnvironmentWarmerOptions) {
    this.#options = options;
    mkdirSync(join(options.folder, 'warm'), { recursive: true });
  }

  /** Folder whose content belongs into ~/.cache of a run; null while there is none. */
  cacheOf(hash: string): string | null {
    const folder = this.#folderOf(hash);
    return existsSync(folder) ? folder : null;
  }

  /** Warms the environment soon, if that has not been done. */
  warm(environment: ColdEnvironment): void {
    if (this.#known.has(environment.hash)) return;
    this.#known.add(environment.hash);
    if (this.cacheOf(environment.hash) !== null) return;
    this.#working = this.#working.then(async () => {
      if (this.#stopped.signal.aborted) return;
      try {
        await this.#warm(environment);
        this.#known.delete(environment.hash);
      } catch (error) {
        this.#options.onProblem(error);
      }
    });
  }

  /** The environment was built anew: what was made for its predecessor is gone with it. */
  async forget(hash: string): Promise<void> {
    this.#known.delete(hash);
    await rm(this.#folderOf(hash), { recursive: true, force: true });
  }

  /** Resolves when everything asked for is done. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#working;
  }

  #folderOf(hash: string): string {
    return join(this.#options.folder, 'warm', hash);
  }

  async #warm(environment: ColdEnvironment): Promise<void> {
    const step = join(this.#options.folder, 'steps', randomUUID());
    mkdirSync(join(step, 'cache'), { recursive: true });
    // No way out is opened: nothing listens behind this name.
    writeFileSync(join(step, 'egress.sock'), '');
    try {
      await this.#compile(environment, step);
      await this.#cacheFonts(environment, step);
      if (this.#stopped.signal.aborted) return;
      await rename(join(step, 'cache'), this.#folderOf(environment.hash)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(step, { recursive: true, force: true });
    }
  }

  /** By the interpreter alone, so that nothing of the environment is executed while it can be written. */
  async #compile({ folder, interpreter }: ColdEnvironment, step: string): Promise<void> {
    const isJail = this.#options.sandbox.level === 'jail';
    const place = isJail ? jailPaths.environment : folder;
    const command = [interpreter.path, '-I', '-S', '-m', 'compileall', '-q', '-j', '1', join(place, 'lib')];
    // Files that are no valid Python, such as templates, are told as failures and left alone.
    await this.#run(this.#commandFor(command, { folder, interpreter, step, isWritable: true }), step, () => undefined);
  }

  async #cacheFonts({ folder, interpreter }: ColdEnvironment, step: string): Promise<void> {
    const isJail = this.#options.sandbox.level === 'jail';
    const python = join(isJail ? jailPaths.environment : folder, 'bin', 'python');
    const lines: string[] = [];
    const command = this.#commandFor([python, '-c', printFontCache], { folder, interpreter, step, isWritable: false });
    await this.#run(command, step, (line) => lines.push(line));
    const found = readFontCache(lines);
    if (found === null) return;
    mkdirSync(join(step, 'cache', 'matplotlib'), { recursive: true });
    writeFileSync(join(step, 'cache', 'matplotlib', found.name), found.content);
  }

  #commandFor(
    command: readonly string[],
    place: { folder: string; interpreter: Interpreter; step: string; isWritable: boolean },
  ): JailCommand {
    const { sandbox } = this.#options;
    if (sandbox.level !== 'jail') {
      return { command: 'nice', args: ['-n', '19', ...command], seccompFile: null };
    }
    const jail = prepareJail({
      bubblewrap: sandbox.bubblewrap as string,
      folder: place.step,
      interpreter: place.interpreter.path,
      readOnly: place.interpreter.folders.filter((path) => existsSync(path)),
      mounts: [[place.folder, jailPaths.environment, place.isWritable]],
      environment: { HOME: jailPaths.home, PATH: `${jailPaths.environment}/bin:/usr/bin:/bin`, LANG: 'C.UTF-8' },
      copies: [],
      cwd: jailPaths.home,
      command,
      direct: [],
      limits: { homeBytes: 64 * 1024 ** 2, temporaryBytes: 64 * 1024 ** 2 },
      tasks: 4_096,
    });
    return { ...jail, command: 'nice', args: ['-n', '19', jail.command, ...jail.args] };
  }

  async #run(command: JailCommand, step: string, onLine: (line: string) => void): Promise<void> {
    const isJail = this.#options.sandbox.level === 'jail';
    await runStep({
      ...command,
      environment: { PATH: process.env['PATH'] ?? '', ...(isJail ? {} : { HOME: step }) },
      workingFolder: step,
      timeoutMs: this.#options.timeoutMs,
      onLine,
      signal: this.#stopped.signal,
      maxLineLength: maxCacheCharacters,
    });
  }
}

/** What the program printed, if it is what it should be: code of the environment ran before it and may say anything. */
export function readFontCache(lines: readonly string[]): { name: string; content: string } | null {
  const last = lines.findLast((line) => line.startsWith('["fontlist-'));
  if (last === undefined || last.length >= maxCacheCharacters) return null;
  try {
    const [name, content] = JSON.parse(last) as unknown[];
    if (typeof name !== 'string' || !/^fontlist-v[\w.]{1,20}\.json$/.test(name)) return null;
    return typeof content === 'string' ? { name, content } : null;
  } catch {
    return null;
  }
}
