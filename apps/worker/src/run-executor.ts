import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ClaimedRun,
  DomainError,
  ownerInactive,
  type RunConnection,
  type RunOutcome,
  type RunStore,
  type RunSurroundings,
} from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';
import type { EnvironmentProvider, SandboxStatus } from '@pademelon/workbench';
import { type EgressOptions, type EgressProxy, startEgressProxy } from '@pademelon/workbench';
import { LeaseKeeper } from './lease-keeper.ts';
import { retryWhile } from './retry-while.ts';
import { outcomeOf } from './run-outcome.ts';
import type { CodeFolders } from './workbench/code-folders.ts';
import { LogShipper } from './workbench/log-shipper.ts';
import { monotonicMs } from './workbench/monotonic-clock.ts';
import { egressPolicyFor, type PreparedRun, prepareRun, type RunIngredients } from './workbench/prepare-run.ts';
import { readRequirements } from './workbench/requirements.ts';
import { RunSecrets } from './workbench/run-secrets.ts';
import type { RunSettings } from './workbench/run-settings.ts';
import type { FromSupervisor, StopCause, ToSupervisor } from './workbench/supervisor-protocol.ts';

export interface RunExecutorOptions {
  readonly store: RunStore;
  readonly surroundings: RunSurroundings;
  readonly code: CodeFolders;
  /** Rejects while there is no Python to run with. */
  readonly environments: () => Promise<EnvironmentProvider>;
  /** Resolves to the zip's path on this host, fetched when it is not there. */
  readonly fetchZip: (sha: string) => Promise<string>;
  readonly sandbox: SandboxStatus;
  readonly settings: RunSettings;
  /** How the world outside of the jails is reached; by DNS and TCP unless it is told. */
  readonly outside?: Pick<EgressOptions, 'resolve' | 'connect'>;
  /** Folder in which every attempt gets one of its own. */
  readonly folder: string;
  readonly logger: Logger;
}

const supervisorFile = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './workbench/run-supervisor.ts' : './workbench/run-supervisor.js',
    import.meta.url,
  ),
);

type Ended = Extract<FromSupervisor, { type: 'ended' }>;

/**
 * Takes one claimed run from its claim to its end: prepare, start, watch, report. Whatever happens, the attempt is
 * either finished by exactly one write that the lease allows, or left to the rescuer because the lease is gone.
 */
export class RunExecutor {
  readonly #options: RunExecutorOptions;
  readonly #stops = new Map<string, (cause: StopCause) => void>();
  readonly #keepers = new Map<string, LeaseKeeper>();

  constructor(options: RunExecutorOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
  }

  get runningCount(): number {
    return this.#stops.size;
  }

  /** Somebody asked for runs to be killed: look at once. */
  async checkCancels(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.renewNow()));
  }

  /** Ends every run of this worker; those that have not started go back to pending, the others end as lost. */
  stopAll(): void {
    for (const stop of this.#stops.values()) stop('shutdown');
  }

  /** `claimedAtMs` is when the claim was asked for, by the monotonic clock: the lease counts from there. */
  async execute(run: ClaimedRun, claimedAtMs = monotonicMs()): Promise<void> {
    const { store, logger, folder: root } = this.#options;
    const folder = join(root, randomUUID().slice(0, 13));
    mkdirSync(folder, { mode: 0o700 });
    const log = logger.child({ run: run.runId, attempt: run.attempt });
    const attempt = new Attempt();
    this.#stops.set(run.runId, (cause) => attempt.stop(cause));
    const keeper = new LeaseKeeper({
      renew: () => store.renew(run.lease),
      durationMs: run.lease.durationMs,
      onRenewed: (leaseUntilMs) => attempt.trustLease(leaseUntilMs),
      onStop: (order) => attempt.stop(order),
      onLost: () => attempt.stop('lease_lost'),
    });
    this.#keepers.set(run.runId, keeper);
    keeper.start(claimedAtMs);
    try {
      const outcome = await this.#run(run, folder, attempt, keeper).catch((error: unknown) => {
        log.error({ err: error }, 'the run could not be carried out');
        return systemError;
      });
      const isHeld = await this.#report(run, outcome, keeper);
      if (!isHeld) log.warn('the lease was lost before the end');
    } catch (error) {
      // The rescuer ends it when the lease is over.
      log.error({ err: error }, 'the end of the run could not be written');
    } finally {
      keeper.stop();
      this.#keepers.delete(run.runId);
      this.#stops.delete(run.runId);
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Tells the database how it ended, for as long as the lease lasts; false when the run is not ours any more. */
  async #report(run: ClaimedRun, outcome: RunOutcome | 'released' | null, keeper: LeaseKeeper): Promise<boolean> {
    const { store } = this.#options;
    if (outcome === null) return false;
    return retryWhile(
      () => keeper.isTrusted,
      () => (outcome === 'released' ? store.release(run.lease) : store.finish(run.lease, outcome)),
    );
  }

  /** The outcome; `released` when it was stopped before user code started; null when the lease is lost. */
  async #run(
    run: ClaimedRun,
    folder: string,
    attempt: Attempt,
    keeper: LeaseKeeper,
  ): Promise<RunOutcome | 'released' | null> {
    const { store, surroundings, settings, sandbox } = this.#options;
    const connections = await patiently(run, () => surroundings.listConnections(run.workspaceId));
    const shipper = new LogShipper({
      store,
      lease: run.lease,
      secrets: new RunSecrets({
        linked: connections,
        listHandedOut: (known) => surroundings.listHandedOut(run.runId, known),
      }),
      firstLine: (run.attempt - 1) * 100_000_000,
      onError: (error) => this.#options.logger.error({ err: error, run: run.runId }, 'log lines could not be written'),
    });
    let egress: EgressProxy | null = null;
    try {
      if (sandbox.warning !== null) shipper.say(Date.now(), sandbox.warning);
      if (sandbox.level === 'jail') {
        egress = await startEgressProxy({
          ...this.#options.outside,
          socketPath: join(folder, 'egress.sock'),
          policy: egressPolicyFor({ settings, connections }),
          onRefused: (host, port) =>
            shipper.say(Date.now(), `a connection to ${host}:${port} was refused or did not succeed`),
        });
      }
      const prepared = await this.#prepare(run, attempt, { folder, connections, shipper });
      if (typeof prepared === 'string') return endBeforeStart(prepared);
      if ('reason' in prepared) return prepared;
      if (attempt.cause !== null) return endBeforeStart(attempt.cause);
      if (!(await patiently(run, () => store.markStarted(run.lease, sandbox.level)))) {
        const renewal = await patiently(run, () => store.renew(run.lease));
        return renewal.kind === 'lost' ? null : endBeforeStart(renewal.mustStop ?? 'killed');
      }
      const ended = await attempt.supervise(this.#plan(run, prepared, keeper), (message) =>
        shipper.output(message.stream, message.timeMs, message.bytes),
      );
      shipper.endOutput(Date.now());
      if (ended.isLogCut) shipper.say(Date.now(), 'the log is longer than allowed; the rest was left out');
      if (ended.cause === 'lease_lost') return null;
      return outcomeOf(ended, run.timeoutMs, settings.limits);
    } finally {
      await egress?.close();
      await shipper.end(Date.now());
    }
  }

  /** Code, environment, token and files; an outcome when the run cannot be started, or why it must not be any more. */
  async #prepare(
    run: ClaimedRun,
    attempt: Attempt,
    { folder, connections, shipper }: { folder: string; connections: readonly RunConnection[]; shipper: LogShipper },
  ): Promise<PreparedRun | RunOutcome | StopCause> {
    const { surroundings, settings, sandbox } = this.#options;
    const found = await patiently(run, () => surroundings.findCode(run.orchestrationId));
    if (found === null) return unprepared('The orchestration is not ready.');
    const { sha } = found;
    const { userId, runId, attempt: number } = run;
    const lifeMs = run.timeoutMs + settings.graceMs + 300_000;
    const token = await patiently(run, () => surroundings.issueToken({ userId, runId, attempt: number, lifeMs }));
    if (token === null) return ownerInactive;
    try {
      // A build may take long, and goes on for others who want the same.
      const provided = await Promise.race([this.#provide(sha, shipper), attempt.stopped]);
      if (typeof provided === 'string') return provided;
      return prepareRun({ run, sha, ...provided, token, connections, settings, sandbox, folder });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return error.word === 'unavailable' ? { ...systemError, text: error.message } : unprepared(error.message);
    }
  }

  async #provide(sha: string, shipper: LogShipper): Promise<Pick<RunIngredients, 'code' | 'environment'>> {
    const { fetchZip, environments } = this.#options;
    const code = await this.#options.code.ensure(sha, await fetchZip(sha));
    const { requirements } = readRequirements(code.requirements);
    const environment = await (await environments()).ensure(requirements, (line) => shipper.say(Date.now(), line));
    return { code, environment };
  }

  #plan(run: ClaimedRun, prepared: PreparedRun, keeper: LeaseKeeper): ToSupervisor {
    const { settings, sandbox } = this.#options;
    return {
      type: 'start',
      plan: {
        ...prepared,
        isJail: sandbox.level === 'jail',
        timeoutMs: run.timeoutMs,
        graceMs: settings.graceMs,
        leaseUntilMs: keeper.trustedUntilMs,
        limits: settings.limits,
      },
    };
  }
}

/** The supervisor's side of one attempt, and what was asked of it before it existed. */
class Attempt {
  cause: StopCause | null = null;
  #supervisor: ChildProcess | null = null;
  readonly #stopped = Promise.withResolvers<StopCause>();

  /** Resolves when nobody wants the run to go on. A worker that shuts down finishes what it prepares. */
  get stopped(): Promise<StopCause> {
    return this.#stopped.promise;
  }

  stop(cause: StopCause): void {
    this.cause ??= cause;
    if (cause !== 'shutdown') this.#stopped.resolve(cause);
    this.#send({ type: 'stop', cause });
  }

  trustLease(leaseUntilMs: number): void {
    this.#send({ type: 'lease', leaseUntilMs });
  }

  supervise(
    start: ToSupervisor,
    onOutput: (message: Extract<FromSupervisor, { type: 'output' }>) => void,
  ): Promise<Ended> {
    const supervisor = fork(supervisorFile, [], {
      serialization: 'advanced',
      // One of these stands beside every run: as small as it can be.
      execArgv: [
        ...['--max-semi-space-size=1', '--no-opt', '--no-maglev'],
        ...(supervisorFile.endsWith('.ts') ? ['--conditions=source'] : []),
      ],
      // Its environment is not the worker's: nothing in it could leak.
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Ctrl-C reaches the worker only, which decides.
      detached: true,
    });
    this.#supervisor = supervisor;
    return new Promise((resolve, reject) => {
      let ended: Ended | null = null;
      supervisor.on('message', (message: FromSupervisor) => {
        if (message.type === 'output') onOutput(message);
        else ended = message;
      });
      supervisor.once('error', reject);
      // Not 'exit', which may be told before its last words are read.
      supervisor.once('close', () => {
        this.#supervisor = null;
        if (ended !== null) resolve(ended);
        else reject(new Error('The supervisor of the run ended without a word.'));
      });
      this.#send(start);
      if (this.cause !== null) this.#send({ type: 'stop', cause: this.cause });
    });
  }

  #send(message: ToSupervisor): void {
    // With a callback a supervisor that is just ending is no error: what it said before tells how the run ended.
    if (this.#supervisor?.connected) this.#supervisor.send(message, () => undefined);
  }
}

/** Before the code has started a database that is away is waited for, as long as a lease may last without it. */
function patiently<T>({ lease }: ClaimedRun, ask: () => Promise<T>): Promise<T> {
  const giveUpAtMs = monotonicMs() + lease.durationMs;
  return retryWhile(() => monotonicMs() < giveUpAtMs, ask);
}

const systemError: RunOutcome = {
  reason: 'system_error',
  text: 'The platform could not carry out the run; its own log says why.',
  exitCode: null,
};

const killedOutcome: RunOutcome = { reason: 'killed_by_user', text: 'The run was killed by a user.', exitCode: null };

function unprepared(text: string): RunOutcome {
  return { reason: 'environment_failed', text, exitCode: null };
}

function endBeforeStart(cause: StopCause): RunOutcome | 'released' | null {
  if (cause === 'lease_lost') return null;
  if (cause === 'shutdown') return 'released';
  return cause === 'owner_inactive' ? ownerInactive : killedOutcome;
}
