import { join } from 'node:path';
import {
  type BaseSettings,
  type PlatformSettings,
  read,
  readBaseSettings,
  readChoice,
  readInteger,
  readPlatformSettings,
  SettingError,
} from '@pademelon/runtime';
import { type AllowedAddress, parseAllowedAddresses } from '@pademelon/workbench';
import { type RunSettings, readRunEnvironment } from './workbench/run-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface WorkerSettings extends PlatformSettings {
  readonly apiUrl: string;
  readonly artifactFolder: string;
  readonly workFolder: string;
  readonly isQueueOn: boolean;
  readonly redisUrl: string | undefined;
  /** Runs that go on at once. */
  readonly concurrency: number;
  /** `auto` takes a jail where one can be built, `required` refuses to start without one, `off` never uses one. */
  readonly sandbox: 'auto' | 'required' | 'off';
  readonly base: BaseSettings;
  readonly leaseMs: number;
  readonly lookMs: number;
  /** How long runs may go on after the worker was told to stop. */
  readonly drainMs: number;
  readonly buildTimeoutMs: number;
  /** Addresses that builds of environments may reach beyond the general rules (PADEMELON_BUILD_ALLOW=host:port,…). */
  readonly buildAllowed: readonly AllowedAddress[];
  readonly unusedMs: number;
  readonly run: RunSettings;
}

const mebibyte = 1024 ** 2;

/** Settings of the worker, from the environment; docs/operations.md says what each is for. */
export function readWorkerSettings(env: Environment): WorkerSettings {
  const platform = readPlatformSettings(env);
  const seconds = (name: string, fallback: number, max = 86_400): number =>
    readInteger(env, name, { fallback, min: 0, max }) * 1_000;
  return {
    ...platform,
    apiUrl: (read(env, 'PADEMELON_API_URL') ?? 'http://127.0.0.1:8081').replace(/\/+$/, ''),
    artifactFolder: read(env, 'PADEMELON_ARTIFACTS') ?? join(platform.home, 'artifacts'),
    workFolder: read(env, 'PADEMELON_WORK') ?? join(platform.home, 'work'),
    isQueueOn: readChoice(env, 'PADEMELON_QUEUE', ['on', 'off'], 'on') === 'on',
    redisUrl: read(env, 'REDIS_URL'),
    concurrency: readInteger(env, 'PADEMELON_WORKER_CONCURRENCY', { fallback: 4, min: 1, max: 1_000 }),
    sandbox: readChoice(env, 'PADEMELON_SANDBOX', ['auto', 'required', 'off'], 'auto'),
    base: readBaseSettings(env),
    leaseMs: readInteger(env, 'PADEMELON_LEASE_MS', { fallback: 30_000, min: 300, max: 600_000 }),
    lookMs: readInteger(env, 'PADEMELON_LOOK_MS', { fallback: 1_000, min: 50, max: 60_000 }),
    drainMs: seconds('PADEMELON_DRAIN_SECONDS', 5),
    buildTimeoutMs: seconds('PADEMELON_BUILD_SECONDS', 600),
    buildAllowed: readAllowed(env, 'PADEMELON_BUILD_ALLOW'),
    // Longer than any run may last, or the cleaner would take an environment from under it.
    unusedMs: readInteger(env, 'PADEMELON_KEEP_DAYS', { fallback: 14, min: 2, max: 3_650 }) * 86_400_000,
    run: {
      platformUrl: (read(env, 'PADEMELON_RUN_URL') ?? platform.publicUrl).replace(/\/+$/, ''),
      environment: readRunEnvironment(env),
      allowed: readAllowed(env, 'PADEMELON_RUN_ALLOW'),
      graceMs: seconds('PADEMELON_GRACE_SECONDS', 10, 600),
      jail: {
        homeBytes: readInteger(env, 'PADEMELON_RUN_HOME_MIB', { fallback: 1_024, min: 16, max: 1e6 }) * mebibyte,
        temporaryBytes: readInteger(env, 'PADEMELON_RUN_TMP_MIB', { fallback: 1_024, min: 16, max: 1e6 }) * mebibyte,
      },
      limits: {
        memoryBytes: readInteger(env, 'PADEMELON_RUN_MEMORY_MIB', { fallback: 4_096, min: 64, max: 1e7 }) * mebibyte,
        processes: readInteger(env, 'PADEMELON_RUN_PROCESSES', { fallback: 512, min: 8, max: 100_000 }),
        files: readInteger(env, 'PADEMELON_RUN_FILES', { fallback: 200_000, min: 100, max: 1e8 }),
        logBytes: readInteger(env, 'PADEMELON_RUN_LOG_MIB', { fallback: 100, min: 1, max: 10_000 }) * mebibyte,
      },
    },
  };
}

/** How long a worker's orderly stop may take: runs go on, are told to end and killed, and what they did is written down. */
export function maxStopMs(settings: Pick<WorkerSettings, 'drainMs' | 'run'>): number {
  return settings.drainMs + settings.run.graceMs + 10_000;
}

function readAllowed(env: Environment, setting: string): AllowedAddress[] {
  try {
    return parseAllowedAddresses(setting, read(env, setting) ?? '');
  } catch (error) {
    throw new SettingError((error as Error).message);
  }
}
