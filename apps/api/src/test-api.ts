import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '@pademelon/database';
import { DomainError } from '@pademelon/domain';
import { createLogger, readOldSecretKey, readSealingKeys } from '@pademelon/runtime';
import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildApp } from './app.ts';
import { composeServices, type RunningServices } from './compose-services.ts';
import type { Authenticator } from './plugins/auth.ts';
import type { Api } from './routes/api.ts';

export interface TestApi {
  readonly app: Api;
  /** Every route but HEAD and OPTIONS, as `POST /v1/api/…`. */
  readonly routes: readonly string[];
  readonly services: RunningServices;
  readonly database: TestDatabase;
  /** Folder of the artifact store. */
  readonly artifactFolder: string;
  readonly secretKey: Buffer;
  /** A POST with a JSON body by one of the users. */
  post(user: string, url: string, payload: object): Promise<LightMyRequestResponse>;
  /** Any request by one of the users. */
  send(user: string, request: InjectOptions): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  readonly isLoginReal?: boolean;
  readonly isAuthOff?: boolean;
  readonly maxModelBytes?: number;
  /** Of another test API, whose successor this one is after a restart; it stays the other's. */
  readonly database?: TestDatabase;
  readonly secretKey?: Buffer;
  /** Settings of the keys. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The bearer token of a test user is the user's id. */
const authenticator: Authenticator = {
  authenticate: async (authorization) => {
    const userId = /^Bearer (ada|bob|root)$/.exec(authorization ?? '')?.[1];
    if (userId === undefined) throw new DomainError('unauthenticated', 'No such test user.');
    return { userId, email: `${userId}@example.org`, isAdmin: userId === 'root' };
  },
};

/**
 * The whole API for integration tests: real services on a PostgreSQL database and an artifact folder of their own, with
 * the users ada, bob and root (an administrator). Only log-in is replaced, unless `isLoginReal` is set.
 */
export async function createTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const database = options.database ?? (await createTestDatabase());
  const prisma = createDatabase(database.pool);
  await prisma.user.createMany({
    data: ['ada', 'bob', 'root'].map((id) => ({
      id,
      email: `${id}@example.org`,
      username: `${id}@example.org`,
      isAdmin: id === 'root',
    })),
    skipDuplicates: true,
  });
  const artifactFolder = await mkdtemp(join(tmpdir(), 'pademelon-artifacts-'));
  const { secretKey = Buffer.alloc(32, 7), env = {} } = options;
  const publicUrl = 'http://localhost:8080';
  const logger = createLogger('test', 'fatal');
  const composed = await composeServices({
    pool: database.pool,
    secretKey,
    oldSecretKey: readOldSecretKey(env, secretKey),
    sealingKeys: readSealingKeys(env, secretKey),
    artifactFolder,
    publicUrl,
    isAuthOff: options.isAuthOff ?? false,
    ...(options.maxModelBytes === undefined ? {} : { maxModelBytes: options.maxModelBytes }),
    logger,
  });
  const services = options.isLoginReal ? composed : { ...composed, authenticator };
  const routes: string[] = [];
  const app = await buildApp({
    publicUrl,
    logger,
    services,
    onRoute: ({ method, url }) => {
      for (const verb of [method].flat()) if (verb !== 'HEAD' && verb !== 'OPTIONS') routes.push(`${verb} ${url}`);
    },
  });
  const send = (user: string, request: InjectOptions): Promise<LightMyRequestResponse> =>
    app.inject({ ...request, headers: { authorization: `Bearer ${user}`, ...request.headers } });
  return {
    app,
    routes,
    services,
    database,
    artifactFolder,
    secretKey,
    send,
    post: (user, url, payload) => send(user, { method: 'POST', url, payload }),
    close: async () => {
      await app.close();
      await composed.stop();
      if (options.database === undefined) await database.drop();
      await rm(artifactFolder, { recursive: true, force: true });
    },
  };
}
