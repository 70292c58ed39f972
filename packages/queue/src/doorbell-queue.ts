import type { Doorbell } from '@pademelon/domain';
import { within } from '@pademelon/runtime';
import { createPostgresBackend, createRedisBackend, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { ClientBase } from 'pg';

/** What a ring is about. */
export type DoorbellKind = 'run' | 'orchestration';

export interface DoorbellQueueOptions {
  /** With it BullMQ runs on Redis, without it on PostgreSQL. */
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string;
  /** Told of what goes wrong; a ring that is lost is made up for by the workers' own look. */
  readonly onError: (error: unknown) => void;
}

export interface DoorbellQueue extends Doorbell {
  /**
   * Calls the handler for each ring, one ring to one of all the listeners. A handler that fails is not called again: the
   * row it is about is still there for the next look.
   */
  listen(kind: DoorbellKind, concurrency: number, handler: (id: string) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A ring is forgotten as soon as somebody heard it, or when nobody did for long; rows are the truth. */
const ringOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 };

/**
 * The queue between API and workers: BullMQ as a doorbell and nothing more. No schedules, no retries, no state of runs is
 * kept in it, so that losing all of it costs seconds.
 */
export function openDoorbellQueue(options: DoorbellQueueOptions): DoorbellQueue {
  const backend = options.redisUrl === undefined ? openOnPostgres(options) : openOnRedis(options.redisUrl, options);
  const queues = new Map<DoorbellKind, BackendQueue>();
  const listeners: BackendWorker[] = [];
  const queueOf = (kind: DoorbellKind): BackendQueue => {
    const queue = queues.get(kind) ?? backend.queue(kind);
    queues.set(kind, queue);
    return queue;
  };
  return {
    ring: async (kind, id) => {
      try {
        // Never the id as job id: a second ring for one row would be ignored while the first is remembered.
        await within('The queue', ringTimeoutMs, queueOf(kind).add('ring', { id }, ringOptions));
      } catch (error) {
        options.onError(error);
      }
    },
    listen: async (kind, concurrency, handler) => {
      const worker = backend.worker(kind, concurrency, handler);
      listeners.push(worker);
      await worker.waitUntilReady();
    },
    close: async () => {
      const parts = [
        ...listeners.map((worker) => worker.close(true)),
        ...[...queues.values()].map((queue) => queue.close()),
      ];
      // A queue whose server is away waits for it even to be closed.
      await within('The queue', closeTimeoutMs, Promise.allSettled(parts)).catch(options.onError);
      await backend.close();
    },
  };
}

/** Whoever rings has committed its row already and must not wait for a queue that is away. */
const ringTimeoutMs = 1_000;
const closeTimeoutMs = 3_000;

interface BackendQueue {
  add(name: string, data: { id: string }, options: typeof ringOptions): Promise<unknown>;
  close(): Promise<void>;
}

interface BackendWorker {
  waitUntilReady(): Promise<unknown>;
  close(force: boolean): Promise<void>;
}

interface Backend {
  queue(kind: DoorbellKind): BackendQueue;
  worker(kind: DoorbellKind, concurrency: number, handler: (id: string) => Promise<void>): BackendWorker;
  close(): Promise<void>;
}

const nameOf = (kind: DoorbellKind): string => `pademelon-${kind}`;

function openOnPostgres({ databaseUrl, onError }: DoorbellQueueOptions): Backend {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  // BullMQ keeps a pool of its own, because it pins its connections to its schema; LISTEN holds one more.
  const connection = {
    connectionString: databaseUrl,
    schema: 'bullmq',
    migrate: true,
    max: 2,
    connectionTimeoutMillis: 5_000,
    // BullMQ does not listen to a connection that it has taken out, and a break would end the process.
    onConnect: (client: ClientBase) => void client.on('error', () => undefined),
  };
  return {
    queue: (kind) => {
      const queue = new Queue(nameOf(kind), { connection });
      queue.on('error', onError);
      return queue;
    },
    worker: (kind, concurrency, handler) => {
      const worker = new Worker(nameOf(kind), (job: { data: { id: string } }) => handler(job.data.id), {
        connection,
        concurrency,
      });
      worker.on('error', onError);
      return worker;
    },
    close: async () => undefined,
  };
}

function openOnRedis(url: string, { onError }: DoorbellQueueOptions): Backend {
  const { Queue, Worker } = withBackend(createRedisBackend);
  const clients: Redis[] = [];
  /** Commands of the API give up at once while Redis is away; listeners wait for it to come back. */
  const connect = (isListener: boolean): Redis => {
    const client = new Redis(url, {
      maxRetriesPerRequest: isListener ? null : 1,
      enableOfflineQueue: isListener,
      connectTimeout: 5_000,
      retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
    });
    client.on('error', onError);
    clients.push(client);
    return client;
  };
  return {
    queue: (kind) => {
      const queue = new Queue(nameOf(kind), { connection: connect(false) });
      queue.on('error', onError);
      return queue;
    },
    worker: (kind, concurrency, handler) => {
      const worker = new Worker(nameOf(kind), (job: { data: { id: string } }) => handler(job.data.id), {
        connection: connect(true),
        concurrency,
      });
      worker.on('error', onError);
      return worker;
    },
    close: async () => {
      for (const client of clients) client.disconnect();
    },
  };
}
