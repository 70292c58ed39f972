import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FetchedArtifacts } from '@pademelon/artifacts';
import { channels, type PodLimits, readAutoscalePolicy } from '@pademelon/contracts';
import {
  ChangeListener,
  changeReplicas,
  type DeploymentRow,
  deletePod,
  type HostRow,
  loadServingSnapshot,
  type PodRow,
  type Pool,
  placePods,
  registerHost,
  removeDeadHosts,
  removeHost,
  removeOldLoads,
  type ServingSnapshot,
  updatePod,
  writeUsedCores,
} from '@pademelon/database/sql';
import type { Logger } from '@pademelon/runtime';
import { Autoscaler } from './autoscaler.ts';
import { CpuMeter } from './cpu-meter.ts';
import { hasMissingReplicas, placeReplicas, podsToRetire } from './placement.ts';
import type { LoggedCounts } from './pod-process.ts';
import { buildPodPlan } from './pod-spec.ts';
import { PodSupervisor } from './pod-supervisor.ts';
import type { PythonPrograms } from './python-programs.ts';

export interface InferenceHostOptions {
  readonly self: HostRow;
  readonly databaseUrl: string;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly modelFiles: Pick<FetchedArtifacts, 'provide'>;
  readonly pythonPrograms: Pick<PythonPrograms, 'provide' | 'forget'>;
  readonly podKey: (podId: string) => string;
  /** Absolute path of the pod's main module, and Node's options for it. */
  readonly podEntry: string;
  readonly podExecArgv: readonly string[];
  readonly podLimits: PodLimits;
  readonly loadDeadlineMs: number;
  readonly logSocketPath: string;
  /** Told of every pod process that ended, with the log records and rows that it said it had handed over. */
  readonly onPodEnd: (pod: { podId: string; pipelineId: number }, logged: LoggedCounts) => Promise<void>;
  readonly lookMs?: number;
  /** Other hosts are declared dead only by one that has seen the database for this long: its outage is everybody's. */
  readonly steadyMs?: number;
  readonly handOverMs?: number;
  readonly drainDelayMs?: number;
}

/** How long a host that stops waits for others to take its pods over; without others it does not. */
const handOverMs = 8_000;

/** The longest that InferenceHost.stop() takes with these limits and a database that answers. */
export function maxStopMs(podLimits: PodLimits): number {
  return handOverMs + podLimits.requestDeadlineMs + 2_000;
}

/**
 * Brings the pods on this machine in line with the deployments in the database: places replicas that nobody runs, runs
 * those placed here, and ends those that are not wanted. It looks when told and every `lookMs`; while the database is
 * away its pods go on serving.
 */
export class InferenceHost {
  readonly #options: InferenceHostOptions;
  readonly #pods = new Map<string, PodSupervisor>();
  readonly #retiring = new Map<string, Promise<void>>();
  readonly #autoscaler: Autoscaler;
  /** By pod, for those whose deployment is scaled by its use of CPU. */
  readonly #meters = new Map<string, CpuMeter>();
  readonly #listener: ChangeListener;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #mustLookAgain = false;
  #isAwayTold = false;
  #isLeaving = false;
  #hasOthers = false;
  #isStopped = false;
  #connectedSinceMs: number | null = null;

  constructor(options: InferenceHostOptions) {
    this.#options = options;
    this.#autoscaler = new Autoscaler(options.self.id);
    this.#listener = new ChangeListener({
      databaseUrl: options.databaseUrl,
      channels: [channels.deployments, channels.routes],
      onChange: () => void this.look(),
    });
  }

  async start(): Promise<void> {
    await this.look();
    await this.#listener.start();
    this.#timer = setInterval(() => void this.look(), this.#options.lookMs ?? 2_000);
  }

  /**
   * Hands its pods over to other hosts, drains those that nobody took and signs off. Requests under way are finished,
   * however long they may take: `maxStopMs` in all.
   */
  async stop(): Promise<void> {
    await this.#handOver();
    this.#isStopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#listener.stop();
    await this.#looking;
    await Promise.all([...this.#pods.values()].map((pod) => this.#retire(pod)));
    const { pool, self, logger } = this.#options;
    await removeHost(pool, self.id).catch((error: unknown) => logger.warn({ err: error }, 'could not sign off'));
  }

  /**
   * Its pods leave with it: they serve until those that other hosts start in their place do; `#reconcile` then retires
   * them.
   */
  async #handOver(): Promise<void> {
    const endAtMs = performance.now() + (this.#options.handOverMs ?? handOverMs);
    this.#isLeaving = true;
    await this.look();
    while (this.#pods.size > 0 && this.#hasOthers && performance.now() < endAtMs) await sleep(50);
  }

  /** What runs here now, for tests and logs. */
  get pods(): readonly PodSupervisor[] {
    return [...this.#pods.values()];
  }

  /** Looks once, or once more when a look is under way. Never rejects. */
  look(): Promise<void> {
    if (this.#looking !== null) {
      this.#mustLookAgain = true;
      return this.#looking;
    }
    this.#looking = this.#lookRepeatedly().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookRepeatedly(): Promise<void> {
    do {
      this.#mustLookAgain = false;
      if (this.#isStopped) return;
      try {
        await this.#reconcile();
        this.#connectedSinceMs ??= performance.now();
        this.#isAwayTold = false;
      } catch (error) {
        if (!this.#isAwayTold) this.#options.logger.warn({ err: error }, 'the database is away; pods go on serving');
        this.#isAwayTold = true;
        this.#connectedSinceMs = null;
      }
    } while (this.#mustLookAgain);
  }

  async #reconcile(): Promise<void> {
    const { pool, self } = this.#options;
    await registerHost(pool, self, this.#isLeaving);
    const isSteady =
      this.#connectedSinceMs !== null &&
      performance.now() - this.#connectedSinceMs > (this.#options.steadyMs ?? 12_000);
    if (isSteady) await removeDeadHosts(pool, self.id);
    await this.#tellUsedCores();
    let snapshot = await loadServingSnapshot(pool);
    if (await this.#autoscale(snapshot)) snapshot = await loadServingSnapshot(pool);
    if (hasMissingReplicas(snapshot)) {
      await placePods(pool, (current) => placeReplicas(current, randomUUID));
      snapshot = await loadServingSnapshot(pool);
    }
    this.#hasOthers = snapshot.liveHosts.some((host) => host.id !== self.id);
    this.#startPods(snapshot);
    this.#retirePods(snapshot);
    await Promise.all([...this.#pods.values()].map((pod) => pod.report()));
  }

  async #tellUsedCores(): Promise<void> {
    const usedCores = new Map<string, number>();
    for (const [podId, meter] of this.#meters) {
      const pod = this.#pods.get(podId);
      const cores = pod?.status.state === 'ready' && pod.pid !== undefined ? await meter.read(pod.pid) : null;
      if (cores !== null) usedCores.set(podId, cores);
    }
    if (usedCores.size > 0) await writeUsedCores(this.#options.pool, usedCores);
  }

  /** True when the number of replicas of a deployment was changed. */
  async #autoscale(snapshot: ServingSnapshot): Promise<boolean> {
    const { pool, logger } = this.#options;
    const changes = this.#autoscaler.decide(snapshot, performance.now());
    for (const change of changes) {
      if (await changeReplicas(pool, change)) logger.info(change, 'autoscaling changed the number of replicas');
    }
    if (changes.length > 0) await removeOldLoads(pool);
    return changes.length > 0;
  }

  #startPods(snapshot: ServingSnapshot): void {
    const retired = new Set(podsToRetire(snapshot).map((pod) => pod.id));
    for (const row of snapshot.pods) {
      if (row.hostId !== this.#options.self.id || this.#pods.has(row.id) || retired.has(row.id)) continue;
      const deployment = snapshot.deployments.find(({ id }) => id === row.deploymentId);
      // Only the current revision can be started: what an older one was to serve is no longer stored.
      if (deployment?.revision !== row.revision || row.state !== 'starting') continue;
      this.#pods.set(row.id, this.#supervise(row, deployment));
    }
  }

  #supervise(row: PodRow, deployment: DeploymentRow): PodSupervisor {
    const { pool, logger, podLimits, self } = this.#options;
    if (readAutoscalePolicy(deployment.engineConfig)?.trigger === 'cpu') this.#meters.set(row.id, new CpuMeter());
    const bindAddress = self.address === '127.0.0.1' ? '127.0.0.1' : '0.0.0.0';
    return new PodSupervisor({
      podId: row.id,
      deploymentId: row.deploymentId,
      revision: row.revision,
      logger,
      plan: () => buildPodPlan({ ...this.#options, bindAddress, limits: podLimits }, deployment, row.id),
      process: {
        entry: this.#options.podEntry,
        execArgv: this.#options.podExecArgv,
        loadDeadlineMs: this.#options.loadDeadlineMs,
      },
      write: (status) => updatePod(pool, row.id, status),
      onLeaving: () => void this.look(),
      onProcessEnd: ({ spec }, logged) => this.#options.onPodEnd(spec, logged),
      drainDelayMs: this.#options.drainDelayMs ?? 500,
      // By then every request under way has been answered.
      drainDeadlineMs: podLimits.requestDeadlineMs,
    });
  }

  #retirePods(snapshot: ServingSnapshot): void {
    const retired = new Set(podsToRetire(snapshot).map((pod) => pod.id));
    const rows = new Set(snapshot.pods.map((pod) => pod.id));
    for (const pod of this.#pods.values()) {
      // A row can be gone because its deployment was deleted, or because this host was taken for dead.
      if (retired.has(pod.podId) || !rows.has(pod.podId)) void this.#retire(pod);
    }
    // Rows of ours without a process: it ended while the database was away, or with an earlier process of this host.
    for (const row of snapshot.pods) {
      if (row.hostId === this.#options.self.id && !this.#pods.has(row.id)) void this.#forget(row.id);
    }
  }

  #retire(pod: PodSupervisor): Promise<void> {
    let retiring = this.#retiring.get(pod.podId);
    if (retiring === undefined) {
      retiring = this.#stopAndForget(pod);
      this.#retiring.set(pod.podId, retiring);
    }
    return retiring;
  }

  async #stopAndForget(pod: PodSupervisor): Promise<void> {
    await pod.stop();
    await this.#forget(pod.podId);
    await this.#options.pythonPrograms.forget(pod.podId);
    this.#pods.delete(pod.podId);
    this.#meters.delete(pod.podId);
    this.#retiring.delete(pod.podId);
  }

  async #forget(podId: string): Promise<void> {
    const { pool, logger } = this.#options;
    await deletePod(pool, podId).catch((error: unknown) =>
      logger.warn({ err: error, podId }, 'pod row not deleted yet'),
    );
  }
}
