import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Requirement } from '@pademelon/archive';
import { DomainError } from '@pademelon/domain';
import { type EgressProxy, startEgressProxy } from './egress-proxy.ts';
import { EnvironmentWarmer } from './environment-warmer.ts';
import type { Interpreter } from './interpreter.ts';
import { jailPaths, prepareJail } from './jail-plan.ts';
import type { PythonIndex } from './python-index.ts';
import { runStep } from './run-step.ts';
import type { SandboxStatus } from './sandbox.ts';

export interface EnvironmentBuilderOptions {
  /** Folder of this worker: `work/` (cache and builds, writable by builds), `ready/` (finished, never written again). */
  readonly folder: string;
  readonly uv: string;
  readonly interpreter: Interpreter;
  readonly index: PythonIndex;
  readonly sandbox: SandboxStatus;
  /** What every environment has: the SDK of the setting, requests, pandas, pyarrow. */
  readonly baseSet: readonly string[];
  readonly timeoutMs: number;
  /** Told when an environment could not be made faster; it works all the same. */
  readonly onProblem: (error: unknown) => void;
}

export interface Environment {
  readonly hash: string;
  readonly folder: string;
  /** Folder whose content every run gets in its ~/.cache; null while there is none. */
  readonly cacheFolder: string | null;
  readonly interpreter: Interpreter;
}

/** Where runs get their environments from. */
export interface EnvironmentProvider {
  ensure(requirements: readonly Requirement[], onLine: (line: string) => void): Promise<Environment>;
}

interface Place {
  readonly hash: string;
  readonly folder: string;
}

/** Raised when what is built could differ although the inputs are the same. */
const recipe = 1;

/**
 * Builds Python environments with uv and keeps them by the hash of what went in. One hash is built once however many
 * wait for it, and appears by a rename, so nobody ever sees half of one. Nothing that comes from the index is executed
 * while building: only wheels are installed.
 */
export class EnvironmentBuilder implements EnvironmentProvider {
  readonly #options: EnvironmentBuilderOptions;
  readonly #warmer: EnvironmentWarmer;
  readonly #building = new Map<string, Promise<void>>();

  constructor(options: EnvironmentBuilderOptions) {
    this.#options = options;
    this.#warmer = new EnvironmentWarmer(options);
    for (const name of ['work/cache', 'work/building', 'ready', 'steps']) {
      mkdirSync(join(options.folder, name), { recursive: true });
    }
  }

  hashOf(requirements: readonly Requirement[]): string {
    const { baseSet, interpreter } = this.#options;
    const lines = requirements.map(({ line }) => line).sort();
    return createHash('sha256')
      .update(JSON.stringify([recipe, interpreter.version, baseSet, lines]))
      .digest('hex');
  }

  /**
   * The environment for the requirements, built when it is not there. `onLine` gets the build log. Throws
   * `invalid_input` with the resolver's words when the requirements cannot be met.
   */
  async ensure(requirements: readonly Requirement[], onLine: (line: string) => void): Promise<Environment> {
    const hash = this.hashOf(requirements);
    const folder = join(this.#options.folder, 'ready', hash);
    if (existsSync(folder)) {
      // The cleaner removes what was not used for long.
      for (const used of [folder, this.#warmer.cacheOf(hash)]) {
        if (used !== null) await utimes(used, new Date(), new Date()).catch(() => undefined);
      }
    } else {
      await this.#buildOnce({ hash, folder }, requirements, onLine);
    }
    const { interpreter } = this.#options;
    this.#warmer.warm({ hash, folder, interpreter });
    return { hash, folder, interpreter, cacheFolder: this.#warmer.cacheOf(hash) };
  }

  /** Resolves when every environment that was asked for is as fast as it can be. */
  async settled(): Promise<void> {
    await this.#warmer.settled();
  }

  async stop(): Promise<void> {
    await this.#warmer.stop();
  }

  /**
   * Removes what builds left behind when their process was killed. Another process may be building in this folder, so
   * that only what is older than any build may last is nobody's.
   */
  async sweep(olderThanMs: number): Promise<void> {
    for (const part of ['work/building', 'steps']) {
      for (const name of await readdir(join(this.#options.folder, part))) {
        const path = join(this.#options.folder, part, name);
        const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
        if (Date.now() - mtimeMs >= olderThanMs) await rm(path, { recursive: true, force: true });
      }
    }
  }

  async #buildOnce(place: Place, requirements: readonly Requirement[], onLine: (line: string) => void): Promise<void> {
    const running = this.#building.get(place.hash);
    if (running !== undefined) {
      onLine('Waiting for the same environment, which is being built for another orchestration.');
      return running;
    }
    const building = this.#build(place, requirements, onLine).finally(() => this.#building.delete(place.hash));
    this.#building.set(place.hash, building);
    return building;
  }

  async #build(place: Place, requirements: readonly Requirement[], onLine: (line: string) => void): Promise<void> {
    const id = randomUUID();
    const { folder, baseSet, interpreter } = this.#options;
    const target = join(folder, 'work', 'building', id);
    const step = join(folder, 'steps', id);
    mkdirSync(join(step, 'input'), { recursive: true });
    writeFileSync(
      join(step, 'input', 'requirements.txt'),
      `${[...baseSet, ...requirements.map(({ line }) => line)].join('\n')}\n`,
    );
    try {
      const isJail = this.#options.sandbox.level === 'jail';
      const inside = isJail ? `${jailPaths.builds}/building/${id}` : target;
      const list = isJail ? `${jailPaths.home}/requirements.txt` : join(step, 'input', 'requirements.txt');
      await this.#uv(step, ['venv', '--relocatable', '--no-project', '--python', interpreter.path, inside], onLine);
      const python = `${inside}/bin/python`;
      await this.#uv(step, ['pip', 'install', '--only-binary', ':all:', '--python', python, '-r', list], onLine);
      await this.#warmer.forget(place.hash);
      await rename(target, place.folder).catch((error: NodeJS.ErrnoException) => {
        // Another worker on this folder was first; its build is as good.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(target, { recursive: true, force: true });
      await rm(step, { recursive: true, force: true });
    }
  }

  async #uv(step: string, args: readonly string[], onLine: (line: string) => void): Promise<void> {
    const { sandbox, folder, uv, index, timeoutMs } = this.#options;
    const isJail = sandbox.level === 'jail';
    const cache = isJail ? `${jailPaths.builds}/cache` : join(folder, 'work', 'cache');
    const environment = {
      ...index.environment,
      UV_CACHE_DIR: cache,
      UV_NO_CONFIG: '1',
      UV_PYTHON_DOWNLOADS: 'never',
      UV_NO_PROGRESS: '1',
      NO_COLOR: '1',
      PATH: '/usr/bin:/bin',
      HOME: isJail ? jailPaths.home : step,
    };
    let egress: EgressProxy | null = null;
    try {
      if (isJail) egress = await this.#openWay(step, onLine);
      const {
        command,
        args: jailed,
        seccompFile,
      } = isJail ? this.#jail(step, [uv, ...args], environment) : { command: uv, args, seccompFile: null };
      const { exitCode, isLate } = await runStep({
        command,
        args: jailed,
        seccompFile,
        environment: isJail ? {} : environment,
        workingFolder: step,
        timeoutMs,
        onLine,
      });
      if (isLate) throw new DomainError('invalid_input', `The environment was not built within ${timeoutMs / 1000} s.`);
      if (exitCode !== 0) {
        throw new DomainError('invalid_input', 'The requirements cannot be installed; the build log says why.');
      }
    } finally {
      await egress?.close();
    }
  }

  #openWay(step: string, onLine: (line: string) => void): Promise<EgressProxy> {
    return startEgressProxy({
      socketPath: join(step, 'egress.sock'),
      policy: { allowed: this.#options.index.allowed, linked: [] },
      onRefused: (host, port) => onLine(`A connection to ${host}:${port} was refused or did not succeed.`),
    });
  }

  #jail(step: string, command: readonly string[], environment: Readonly<Record<string, string>>) {
    const { sandbox, folder, uv, interpreter, index } = this.#options;
    return prepareJail({
      bubblewrap: sandbox.bubblewrap as string,
      folder: step,
      interpreter: interpreter.path,
      readOnly: [...new Set([uv, ...interpreter.folders, ...index.readOnly])].filter((path) => existsSync(path)),
      // One mount for cache and build, or hard links between them would be refused.
      mounts: [[join(folder, 'work'), jailPaths.builds, true]],
      environment,
      copies: [[join(step, 'input'), jailPaths.home]],
      cwd: jailPaths.home,
      command,
      // The proxy settings leave this machine's own addresses out.
      direct: index.allowed.filter(({ host }) => /^(localhost$|127\.)/.test(host)),
      limits: { homeBytes: 256 * 1024 ** 2, temporaryBytes: 2 * 1024 ** 3 },
      tasks: 4_096,
    });
  }
}
