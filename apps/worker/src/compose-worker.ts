import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FetchedArtifacts, LocalArtifactStore } from '@pademelon/artifacts';
import { PgModelBuildStore, PgPackagingStore, PgRunStore, PgScheduleStore, type Pool } from '@pademelon/database/sql';
import type { RunSurroundings } from '@pademelon/domain';
import { internalKey, type Logger } from '@pademelon/runtime';
import { chooseSandbox, environmentSource, probeSandbox, ScriptFolders } from '@pademelon/workbench';
import { removeUnused } from './maintenance/artifact-cleaner.ts';
import { PeriodicService } from './maintenance/periodic-service.ts';
import { rescueRuns } from './maintenance/run-rescuer.ts';
import { enqueueSchedules } from './maintenance/schedule-enqueuer.ts';
import { ModelPackager } from './model-packager.ts';
import { OrchestrationPackager } from './orchestration-packager.ts';
import { RunConsumer } from './run-consumer.ts';
import { RunExecutor } from './run-executor.ts';
import { WorkBell } from './work-bell.ts';
import { CodeFolders } from './workbench/code-folders.ts';
import { WorkerRegistration } from './worker-registration.ts';
import type { WorkerSettings } from './worker-settings.ts';

export interface WorkerParts {
  readonly settings: WorkerSettings;
  readonly pool: Pool;
  readonly surroundings: RunSurroundings;
  readonly secretKey: Buffer;
  readonly logger: Logger;
}

/** Wires one worker and starts it; the returned function stops it in order. */
export async function startWorker({
  settings,
  pool,
  surroundings,
  secretKey,
  logger,
}: WorkerParts): Promise<() => Promise<void>> {
  const workerId = `${hostname()}-${randomUUID().slice(0, 8)}`;
  const { sandbox, runFolder, code, source, fetchFile } = await openWorkbench({ settings, secretKey, logger });
  const store = new PgRunStore(pool);
  const bell = new WorkBell(
    settings.isQueueOn
      ? {
          redisUrl: settings.redisUrl,
          databaseUrl: settings.databaseUrl,
          onError: (error) => logger.warn({ err: error }, 'the queue has a problem; work is found by looking'),
        }
      : null,
  );
  const executor = new RunExecutor({
    ...{ store, surroundings, code, environments: source.provide, fetchZip: fetchFile, sandbox, logger },
    settings: settings.run,
    folder: runFolder,
  });
  const shared = { bell, workerId, pool, logger, databaseUrl: settings.databaseUrl, lookMs: settings.lookMs };
  const consumer = new RunConsumer({
    ...shared,
    ...{ store, executor, leaseMs: settings.leaseMs, concurrency: settings.concurrency },
  });
  const packaging = { environments: source.provide, leaseMs: settings.leaseMs, logger };
  const packager = new OrchestrationPackager({
    ...shared,
    ...{ ...packaging, store: new PgPackagingStore(pool), code, fetchZip: fetchFile },
  });
  const modelPackager = new ModelPackager({
    ...{ ...packaging, store: new PgModelBuildStore(pool), fetchFile, sandbox, loadTimeoutMs: 60_000 },
    scripts: new ScriptFolders(join(settings.workFolder, 'scripts')),
    folder: join(runFolder, 'scripts'),
  });
  const registration = new WorkerRegistration({ pool, workerId, sandbox });
  const services = planServices({ settings, pool, logger, store, registration });
  const stopping = new AbortController();
  const scripts = new PeriodicService({
    ...{ name: 'model packager', everyMs: settings.lookMs, logger },
    runOnce: () => modelPackager.packageAll(stopping.signal),
  });
  await consumer.start();
  await packager.start();
  // On one machine the queue may never be needed; a fleet's is tried at once, so that a wrong URL is seen.
  if (settings.redisUrl !== undefined) bell.wake();
  for (const each of [...services, scripts]) each.start();
  logger.info({ worker: workerId, sandbox: sandbox.level }, 'the worker looks for work');
  return async () => {
    stopping.abort();
    await Promise.all(services.map((each) => each.stop()));
    await Promise.all([consumer.stop(settings.drainMs), packager.stop(), scripts.stop()]);
    await source.stop();
    await bell.close();
    await registration.remove();
    rmSync(runFolder, { recursive: true, force: true });
  };
}

/** Where code and environments come from, and what keeps both apart from this machine. */
async function openWorkbench({ settings, secretKey, logger }: Pick<WorkerParts, 'settings' | 'secretKey' | 'logger'>) {
  const sandbox = await chooseSandbox(settings.sandbox, probeSandbox);
  if (sandbox.warning !== null) logger.warn(sandbox.warning);
  mkdirSync(settings.workFolder, { recursive: true, mode: 0o700 });
  const code = new CodeFolders(join(settings.workFolder, 'code'));
  await code.sweep();
  const artifacts = new FetchedArtifacts({
    artifacts: new LocalArtifactStore(settings.artifactFolder),
    apiUrl: settings.apiUrl,
    internalKey: internalKey(secretKey),
  });
  return {
    sandbox,
    code,
    // Paths of Unix sockets are limited to about 100 bytes, which a data folder may exceed.
    runFolder: mkdtempSync(join(tmpdir(), 'pademelon-runs-')),
    source: environmentSource({
      folder: settings.workFolder,
      base: settings.base,
      sandbox,
      timeoutMs: settings.buildTimeoutMs,
      allowed: settings.buildAllowed,
      logger,
    }),
    fetchFile: (sha: string): Promise<string> => artifacts.provide(sha),
  };
}

interface ServiceParts extends Pick<WorkerParts, 'settings' | 'pool' | 'logger'> {
  readonly store: PgRunStore;
  readonly registration: WorkerRegistration;
}

/** What a worker does at intervals, whether it has runs or not. */
function planServices({ settings, pool, logger, store, registration }: ServiceParts): PeriodicService[] {
  const schedules = new PgScheduleStore(pool);
  const service = (name: string, everyMs: number, runOnce: () => Promise<void>): PeriodicService =>
    new PeriodicService({ name, everyMs, runOnce, logger });
  return [
    service('registration', 5_000, () => registration.renew()),
    service('schedule enqueuer', settings.lookMs, () => enqueueSchedules(schedules)),
    service('run rescuer', Math.min(5_000, settings.leaseMs), () => rescueRuns(store, logger)),
    service('artifact cleaner', 3_600_000, async () => {
      for (const folder of ['code/ready', 'scripts', 'environments/ready', 'environments/warm']) {
        await removeUnused(join(settings.workFolder, folder), settings.unusedMs, Date.now());
      }
    }),
  ];
}
