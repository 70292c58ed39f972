import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createPool, type Pool } from '@pademelon/database/sql';
import { buildZip } from '@pademelon/testing';
import { findFreePort } from '../../../packages/runtime/src/ports.ts';
import type { TestIndex } from '../../../packages/workbench/src/package-index-test-server.ts';
import { isLong, leaseMs } from '../sizes.ts';
import { ApiClient } from './api-client.ts';
import { DatabaseServer } from './database-server.ts';
import { installGates } from './gates.ts';
import { History } from './history.ts';
import { openPackageIndex, provideUv, sdkVersion, slowPackage } from './package-index.ts';
import { recordedCode } from './recorded-code.ts';
import { hasRedis, RedisServer } from './redis-server.ts';
import { Service } from './service.ts';

/** Where the doorbell rings: the three ways in which the platform is run. */
export const queues = [
  { queue: 'redis', isThere: hasRedis },
  { queue: 'postgres', isThere: true },
  { queue: 'off', isThere: true },
] as const;
export type QueueKind = (typeof queues)[number]['queue'];

/** All of them, or, for a test whose subject the queue is not, only this one where minutes count. */
export function queuesOrOnly(queue: QueueKind): readonly (typeof queues)[number][] {
  return isLong ? queues : queues.filter((each) => each.queue === queue);
}

export interface StackOptions {
  readonly queue: QueueKind;
  readonly workers: number;
  /** Runs that go on at once in one worker. */
  readonly concurrency: number;
  readonly leaseMs?: number;
}

export interface ChaosWorker {
  readonly service: Service;
  /** The environments that it has built. */
  readonly environments: string;
  /** Folders of attempts that it has not finished with. */
  attempts(): string[];
  /** Whether it is building an environment, or was when it was killed. */
  isBuilding(): boolean;
}

/** The platform as separate processes: API, workers, PostgreSQL, Redis, and a package index of our own. */
export interface Stack {
  readonly database: DatabaseServer;
  readonly redis: RedisServer | null;
  readonly pool: Pool;
  readonly client: ApiClient;
  readonly history: History;
  readonly index: TestIndex;
  readonly workers: readonly ChaosWorker[];
  readonly workspaceId: number;
  /** `plain` asks for no packages; `slow` for one, which its worker has to fetch. */
  readonly orchestrations: Readonly<Record<'plain' | 'slow', string>>;
  /** What the processes wrote last, for the message of a test that fails. */
  tail(): string;
  stop(): Promise<void>;
}

const repository = resolve(import.meta.dirname, '../../..');

export async function startStack(options: StackOptions): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  const database = await DatabaseServer.start(join(folder, 'postgres'));
  const pool = createPool(database.url);
  const redis = options.queue === 'redis' ? await RedisServer.start(join(folder, 'redis')) : null;
  const history = await History.open();
  const index = await openPackageIndex();
  const port = await findFreePort();
  const uv = await provideUv();
  const environment = {
    ...productEnvironment(),
    PATH: `${dirname(uv)}:${process.env['PATH']}`,
    PADEMELON_HOME: folder,
    DATABASE_URL: database.url,
    PADEMELON_API_PORT: String(port),
    PADEMELON_API_URL: `http://127.0.0.1:${port}`,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    AUTH: 'off',
    PADEMELON_QUEUE: options.queue === 'off' ? 'off' : 'on',
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
    PADEMELON_LEASE_MS: String(options.leaseMs ?? leaseMs),
    PADEMELON_WORKER_CONCURRENCY: String(options.concurrency),
    PADEMELON_RUN_ALLOW: `127.0.0.1:${history.port}`,
    PADEMELON_SDK_VERSION: sdkVersion,
    UV_DEFAULT_INDEX: index.url,
    UV_INDEX: '',
  };
  await prepareDatabase(environment);
  await installGates(pool);
  const api = new Service({
    ...serviceOf('api', folder, environment),
    isReady: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
      await answer?.body?.cancel();
      return answer?.status === 200;
    },
  });
  const workers = Array.from({ length: options.workers }, (_, at) => planWorker(folder, at + 1, environment));
  const services = [...workers.map(({ service }) => service), api];
  const tail = (): string => services.map((service) => service.tail()).join('\n\n');
  const stop = async (): Promise<void> => {
    for (const service of services) await service.kill();
    history.close();
    index.close();
    await redis?.stop();
    await database.stop();
    // Not waited for: a test that failed may hold a client.
    void pool.end();
    // With retries: the jails of a killed worker end by themselves, a moment after it.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    await api.start();
    await Promise.all(workers.map(({ service }) => service.start()));
    const client = new ApiClient(`http://127.0.0.1:${port}`);
    const workspaceId = (await client.call('/v1/api/workspaces/create', { workspace_name: 'chaos' })).workspace_id;
    const orchestrations = await addOrchestrations(client, workspaceId);
    return { ...{ database, redis, pool, client, history, index, workers, workspaceId, orchestrations }, tail, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The program that prepares a database for services of one's own: its schema and its first user. */
async function prepareDatabase(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  const program = join(repository, 'apps/local/src/prepare-alone.ts');
  await promisify(execFile)(process.execPath, ['--conditions=source', program], { env: { ...environment } });
}

/** What a process needs of this one's environment; none of the settings that someone may have in his shell. */
function productEnvironment(): Record<string, string | undefined> {
  const names = /^(HOME|LANG|LC_\w+|PYENV_ROOT|XDG_CONFIG_HOME)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => names.test(name)));
}

function serviceOf(name: string, folder: string, environment: Readonly<Record<string, string | undefined>>) {
  const app = name.startsWith('worker') ? 'worker' : name;
  const program = join(repository, 'apps', app, 'src', 'main.ts');
  return {
    name,
    environment,
    command: [process.execPath, '--conditions=source', program] as const,
    logFile: join(folder, `${name}.log`),
  };
}

function planWorker(folder: string, number: number, shared: Readonly<Record<string, string | undefined>>): ChaosWorker {
  const work = join(folder, `worker-${number}`);
  // Its runs' folders are told apart from those of others by where temporary files are.
  const temporary = join(folder, `t${number}`);
  mkdirSync(temporary);
  const environment = { ...shared, PADEMELON_WORK: work, TMPDIR: temporary };
  const environments = join(work, 'environments');
  return {
    service: new Service({
      ...serviceOf(`worker-${number}`, folder, environment),
      isReady: (output) => output.includes('looks for work'),
    }),
    environments,
    attempts: () => readdirSync(temporary).flatMap((life) => readdirSync(join(temporary, life))),
    isBuilding: () => readdirSync(join(environments, 'work/building')).length > 0,
  };
}

async function addOrchestrations(client: ApiClient, workspaceId: number): Promise<Stack['orchestrations']> {
  const main = { name: 'main.py', content: recordedCode };
  const requirements = { name: 'requirements.txt', content: `${slowPackage.replaceAll('_', '-')}==1.0\n` };
  const plain = await client.addOrchestration(workspaceId, 'plain', buildZip([main]));
  const slow = await client.addOrchestration(workspaceId, 'slow', buildZip([main, requirements]));
  return { plain, slow };
}
