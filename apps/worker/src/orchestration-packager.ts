import { channels } from '@pademelon/contracts';
import { ChangeListener } from '@pademelon/database/sql';
import type { PackagingJob, PackagingStore } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';
import type { EnvironmentProvider } from '@pademelon/workbench';
import { packageUnderLease } from './leased-packaging.ts';
import type { WorkBell } from './work-bell.ts';
import type { CodeFolders } from './workbench/code-folders.ts';
import { monotonicMs } from './workbench/monotonic-clock.ts';
import { readRequirements } from './workbench/requirements.ts';

export interface OrchestrationPackagerOptions {
  readonly store: PackagingStore;
  readonly code: CodeFolders;
  /** Rejects while there is no Python to build with. */
  readonly environments: () => Promise<EnvironmentProvider>;
  readonly fetchZip: (sha: string) => Promise<string>;
  readonly bell: WorkBell;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly lookMs: number;
  readonly databaseUrl: string;
  readonly logger: Logger;
}

/**
 * Takes uploaded orchestrations from pending_packaging to ready or error: the zip is read whole, its requirements are
 * checked and the environment built. The work is leased like a run, so that a packager that dies is followed by another.
 */
export class OrchestrationPackager {
  readonly #options: OrchestrationPackagerOptions;
  readonly #listener: ChangeListener;
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> | null = null;
  #mustLookAgain = false;
  #isStopping = false;

  constructor(options: OrchestrationPackagerOptions) {
    this.#options = options;
    this.#listener = new ChangeListener({
      databaseUrl: options.databaseUrl,
      channels: [channels.orchestrations],
      onChange: () => this.look(),
    });
  }

  async start(): Promise<void> {
    this.#options.bell.answer('orchestration', 1, async () => this.look());
    await this.#listener.start();
    this.#schedule();
    this.look();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#listener.stop();
    await this.#working;
  }

  look(): void {
    if (this.#isStopping) return;
    if (this.#working !== null) {
      this.#mustLookAgain = true;
      return;
    }
    this.#working = this.#packageAll().finally(() => {
      this.#working = null;
      if (!this.#mustLookAgain) return;
      this.#mustLookAgain = false;
      this.look();
    });
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.look();
      this.#schedule();
    }, this.#options.lookMs);
  }

  async #packageAll(): Promise<void> {
    const { store, bell, leaseMs, logger } = this.#options;
    try {
      for (;;) {
        if (this.#isStopping) return;
        const claimedAtMs = monotonicMs();
        const job = await store.claimNext(leaseMs);
        if (job === null) return;
        bell.wake();
        await this.#package(job, claimedAtMs);
      }
    } catch (error) {
      logger.warn({ err: error }, 'could not package; the next look is soon');
    }
  }

  async #package(job: PackagingJob, claimedAtMs: number): Promise<void> {
    const { store, leaseMs, logger } = this.#options;
    await packageUnderLease({
      job,
      claimedAtMs,
      leaseMs,
      renew: (buildLog) => store.renew(job, leaseMs, buildLog),
      build: (say) => this.#build(job, say),
      finish: ({ status, reason, buildLog }, built) =>
        store.finish(job, {
          status,
          reason,
          entryPoint: built?.entryPoint ?? null,
          environmentHash: built?.environmentHash ?? null,
          buildLog: reason === null ? buildLog : `${buildLog}${reason}\n`,
        }),
      logger: logger.child({ orchestration: job.id }),
    });
  }

  async #build(
    job: PackagingJob,
    say: (line: string) => void,
  ): Promise<{ entryPoint: string; environmentHash: string }> {
    const { code, environments, fetchZip } = this.#options;
    const unpacked = await code.ensure(job.sha, await fetchZip(job.sha));
    say(`main.py is at ${unpacked.layout.entryPoint}.`);
    const { requirements, notes } = readRequirements(unpacked.requirements);
    notes.forEach(say);
    const builder = await environments();
    const { hash } = await builder.ensure(requirements, say);
    say('The environment is ready.');
    return { entryPoint: unpacked.layout.entryPoint, environmentHash: hash };
  }
}
