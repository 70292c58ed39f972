import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ModelBuildJob, ModelBuildStore } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';
import { checkScript, type EnvironmentProvider, type SandboxStatus, type ScriptFolders } from '@pademelon/workbench';
import { packageUnderLease } from './leased-packaging.ts';
import { monotonicMs } from './workbench/monotonic-clock.ts';

export interface ModelPackagerOptions {
  readonly store: ModelBuildStore;
  readonly scripts: ScriptFolders;
  /** Rejects while there is no Python to build with. */
  readonly environments: () => Promise<EnvironmentProvider>;
  readonly fetchFile: (sha: string) => Promise<string>;
  readonly sandbox: SandboxStatus;
  /** Where each script that is tried gets a folder. */
  readonly folder: string;
  /** How long a script may take to be loaded. */
  readonly loadTimeoutMs: number;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/**
 * Takes uploaded Python steps from pending_load_native to ready or error: the environment is built and the script loaded
 * once, in a jail like the one that it will run in. The work is leased like a run, so that a packager that dies is
 * followed by another. Hosts that do not share this worker's folder build the environment once more.
 */
export class ModelPackager {
  readonly #options: ModelPackagerOptions;

  constructor(options: ModelPackagerOptions) {
    this.#options = options;
  }

  /** Packages what waits, one after the other, until nothing does or `signal` says to stop. */
  async packageAll(signal: AbortSignal): Promise<void> {
    const { store, leaseMs } = this.#options;
    while (!signal.aborted) {
      const claimedAtMs = monotonicMs();
      const job = await store.claimNext(leaseMs);
      if (job === null) return;
      await this.#package(job, claimedAtMs);
    }
  }

  async #package(job: ModelBuildJob, claimedAtMs: number): Promise<void> {
    const { store, leaseMs, logger } = this.#options;
    await packageUnderLease({
      job,
      claimedAtMs,
      leaseMs,
      renew: (buildLog) => store.renew(job, leaseMs, buildLog),
      build: (say) => this.#build(job, say),
      finish: (verdict) => store.finish(job, verdict),
      logger: logger.child({ modelVersion: job.id }),
    });
  }

  async #build(job: ModelBuildJob, say: (line: string) => void): Promise<void> {
    const { scripts, environments, fetchFile, sandbox, folder, loadTimeoutMs } = this.#options;
    const script = await scripts.ensure(job, await fetchFile(job.sha));
    script.notes.forEach(say);
    const environment = await (await environments()).ensure(script.requirements, say);
    say('The environment is ready.');
    await checkScript({
      sandbox,
      environment,
      folder: join(folder, randomUUID()),
      script: { path: script.path, inputSchema: job.inputSchema, outputSchema: job.outputSchema },
      timeoutMs: loadTimeoutMs,
      onLine: say,
    });
    say('The script was loaded.');
  }
}
