import { rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { FetchedArtifacts } from '@pademelon/artifacts';
import type { PythonProgram } from '@pademelon/contracts';
import type { PodModelRow } from '@pademelon/database/sql';
import { DomainError } from '@pademelon/domain';
import type { BaseSettings, Logger } from '@pademelon/runtime';
import type { EnvironmentSource, SandboxChoice, SandboxStatus, ScriptFolders } from '@pademelon/workbench';

export interface PythonProgramsOptions {
  readonly files: Pick<FetchedArtifacts, 'provide'>;
  /** What is made here is kept in it, for other pods and other processes of this machine. */
  readonly workFolder: string;
  /** Gets a folder for each pod that has a Python step, until the pod is forgotten. */
  readonly podFolder: string;
  readonly sandbox: SandboxChoice;
  readonly base: BaseSettings;
  readonly buildTimeoutMs: number;
  /** `host:port,…` that builds may reach beyond the general rules. */
  readonly buildAllow: string;
  /** How long a host waits for a pod to be loaded; scripts get a little less, so that the pod can say what happened. */
  readonly loadDeadlineMs: number;
  /** Memory of a step whose deployment says nothing of it. */
  readonly memoryBytes: number;
  readonly logger: Logger;
}

/** What a deployment lets a step have. */
export interface StepResources {
  readonly podId: string;
  readonly threads: number;
  readonly memoryBytes: number | null;
}

interface Workbench {
  readonly sandbox: SandboxStatus;
  readonly environments: EnvironmentSource;
  readonly scripts: ScriptFolders;
  readonly prepareStep: typeof import('@pademelon/workbench').prepareStep;
}

/** Workers remove from their folder what nobody has used for days. */
const freshenMs = 3_600_000;

/** A numeric library starts some threads of its own, whatever it is told. */
const maxProcesses = 64;

/**
 * Makes the Python steps of this host's pods ready to be started: their scripts are unpacked and their environments
 * built, unless a worker on this machine has done it already.
 */
export class PythonPrograms {
  readonly #options: PythonProgramsOptions;
  #workbench: Promise<Workbench> | null = null;
  /** Folders that the steps of each pod are started from. */
  readonly #used = new Map<string, Set<string>>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: PythonProgramsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.freshen(), freshenMs).unref();
  }

  /** Throws `unavailable` when trying again may help, and `model_rejected` with the reason when it cannot be run here. */
  async provide(model: PodModelRow, { podId, threads, memoryBytes }: StepResources): Promise<PythonProgram> {
    const { files, podFolder, loadDeadlineMs } = this.#options;
    const { sandbox, environments, scripts, prepareStep } = await this.#open();
    try {
      const script = await scripts.ensure(model, await files.provide(model.sha));
      const environment = await (await environments.provide()).ensure(script.requirements, () => undefined);
      this.#use(podId, [script.folder, environment.folder]);
      const { inputSchema, outputSchema } = model;
      return {
        launch: prepareStep({
          ...{ sandbox, environment, threads },
          folder: join(podFolder, podId, String(model.versionId)),
          script: { path: script.path, inputSchema, outputSchema },
          tasks: 4 * maxProcesses,
        }),
        limits: {
          memoryBytes: memoryBytes ?? this.#options.memoryBytes,
          processes: maxProcesses,
          loadDeadlineMs: 0.9 * loadDeadlineMs,
        },
      };
    } catch (error) {
      if (!(error instanceof DomainError) || error.word === 'unavailable') throw error;
      throw new DomainError('model_rejected', error.message, { cause: error });
    }
  }

  /** The pod is gone, and what was written for it goes, too. */
  async forget(podId: string): Promise<void> {
    this.#used.delete(podId);
    await rm(join(this.#options.podFolder, podId), { recursive: true, force: true });
  }

  /** Marks what its pods use as used, since they may start their steps again at any time. */
  async freshen(): Promise<void> {
    const now = new Date();
    for (const folder of new Set([...this.#used.values()].flatMap((folders) => [...folders]))) {
      await utimes(folder, now, now).catch((error: unknown) => {
        this.#options.logger.warn({ err: error, folder }, 'what a Python step is started from is gone');
      });
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const workbench = await this.#workbench?.catch(() => null);
    await workbench?.environments.stop();
  }

  #use(podId: string, folders: readonly string[]): void {
    const used = this.#used.get(podId) ?? new Set();
    for (const folder of folders) used.add(folder);
    this.#used.set(podId, used);
  }

  /** Loaded at the first Python step: a host without any stays small. */
  #open(): Promise<Workbench> {
    this.#workbench ??= this.#load().catch((error: unknown) => {
      this.#workbench = null;
      throw error;
    });
    return this.#workbench;
  }

  async #load(): Promise<Workbench> {
    const { workFolder, base, buildTimeoutMs, buildAllow, logger } = this.#options;
    const workbench = await import('@pademelon/workbench');
    const sandbox = await workbench
      .chooseSandbox(this.#options.sandbox, workbench.probeSandbox)
      .catch((cause: Error) => {
        throw new DomainError('model_rejected', cause.message, { cause });
      });
    if (sandbox.warning !== null) logger.warn(sandbox.warning);
    return {
      sandbox,
      environments: workbench.environmentSource({
        ...{ base, sandbox, logger },
        folder: workFolder,
        timeoutMs: buildTimeoutMs,
        allowed: workbench.parseAllowedAddresses('PADEMELON_BUILD_ALLOW', buildAllow),
      }),
      scripts: new workbench.ScriptFolders(join(workFolder, 'scripts')),
      prepareStep: workbench.prepareStep,
    };
  }
}
