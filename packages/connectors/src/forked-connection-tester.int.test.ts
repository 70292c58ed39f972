import { createVerify, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createTestDatabase } from '@pademelon/testing';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ForkedConnectionTester } from './forked-connection-tester.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<number> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const testerFor = (...ports: readonly number[]) =>
  new ForkedConnectionTester({ allowed: ports.map((port) => `127.0.0.1:${port}`), timeoutMs: 20_000 });

describe('HTTP', () => {
  test('a server that answers is reached, with the headers of the connection', async () => {
    let key: unknown;
    const port = await serve((request, response) => {
      key = request.headers['x-key'];
      response.end('x'.repeat(1_000));
    });
    const verdict = await testerFor(port).test('HTTP', {
      host: `http://127.0.0.1:${port}/data`,
      headers: { 'x-key': 'k' },
    });
    expect(verdict).toMatchObject({ isReachable: true, outcome: 'reached' });
    expect(key).toBe('k');
  });

  test('one that refuses is told apart from one that is not there', async () => {
    const port = await serve((_request, response) => response.writeHead(403).end());
    const tester = testerFor(port, 1);
    expect(await tester.test('HTTP', { url: `http://127.0.0.1:${port}/` })).toMatchObject({ outcome: 'refused' });
    expect(await tester.test('HTTP', { url: 'http://127.0.0.1:1/' })).toMatchObject({ outcome: 'unreachable' });
  });

  test('one that never answers ends in time', async () => {
    const port = await serve(() => undefined);
    const tester = new ForkedConnectionTester({ allowed: [`127.0.0.1:${port}`], timeoutMs: 1_500 });
    const verdict = await tester.test('HTTP', { url: `http://127.0.0.1:${port}/` });
    expect(verdict).toMatchObject({ isReachable: false, outcome: 'timeout' });
    expect(verdict.elapsedMs).toBeLessThan(5_000);
  });

  test('a redirect is not followed', async () => {
    let wasCalled = false;
    const inner = await serve((_request, response) => {
      wasCalled = true;
      response.end();
    });
    const port = await serve((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${inner}/` }).end(),
    );
    await testerFor(port, inner).test('HTTP', { url: `http://127.0.0.1:${port}/` });
    expect(wasCalled).toBe(false);
  });
});

describe('addresses inside', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://0:PORT/',
    'http://[::1]:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://localhost:PORT/',
    'http://169.254.169.254/latest/meta-data/',
  ])('%s are blocked before anything is sent', async (url) => {
    let wasCalled = false;
    const port = await serve((_request, response) => {
      wasCalled = true;
      response.end();
    });
    const verdict = await new ForkedConnectionTester({ allowed: [] }).test('HTTP', {
      url: url.replace('PORT', String(port)),
    });
    expect(verdict).toMatchObject({ isReachable: false, outcome: 'blocked' });
    expect(wasCalled).toBe(false);
  });

  test('a socket of the machine is blocked, too', async () => {
    const verdict = await testerFor().test('POSTGRES', { host: '/var/run/postgresql', user: 'postgres' });
    expect(verdict).toMatchObject({ outcome: 'blocked' });
  });
});

describe('PostgreSQL', () => {
  /** The database of the tests listens on a socket alone, so something must stand in between. */
  async function bridge(socketPath: string): Promise<number> {
    const server = createTcpServer((client) => {
      const target = connect(socketPath);
      for (const end of [client, target]) end.on('error', () => undefined);
      client.pipe(target).pipe(client);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  test('a log-in with a password is tried, and a query', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const url = new URL(database.url.replace('///', '//local/'));
    const name = url.pathname.slice(1);
    const folder = url.searchParams.get('host') as string;
    const port = await bridge(join(folder, `.s.PGSQL.${url.searchParams.get('port') ?? 5432}`));
    const login = { host: '127.0.0.1', port, user: url.searchParams.get('user') ?? 'postgres' };
    const tester = testerFor(port);
    expect(await tester.test('POSTGRES', { ...login, database: name })).toMatchObject({ outcome: 'reached' });
    const refused = await tester.test('POSTGRES', { ...login, database: 'no_such_database' });
    expect(refused).toMatchObject({ outcome: 'refused', text: expect.stringContaining('3D000') });
  });

  test('what is no PostgreSQL is not reached', async () => {
    const port = await serve((_request, response) => response.end());
    const verdict = await testerFor(port).test('POSTGRES', { host: '127.0.0.1', port, user: 'u' });
    expect(verdict).toMatchObject({ isReachable: false, outcome: 'unreachable' });
  });
});

describe('S3', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-s3-'));
  const store = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'there', configs: [] }],
  });
  let port: number;
  beforeAll(async () => {
    port = (await store.run()).port;
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['a bucket that is there', { bucket: 'there' }, 'reached'],
    ['the list of buckets', {}, 'reached'],
    ['a bucket that is not there', { bucket: 'not-there' }, 'refused'],
    ['a key that nobody has', { access_key_id: 'unknown' }, 'refused'],
  ])('%s', async (_what, extra, outcome) => {
    const details = { access_key_id: 'S3RVER', secret_access_key: 'S3RVER', endpoint: `http://127.0.0.1:${port}` };
    expect(await testerFor(port).test('S3', { ...details, ...extra })).toMatchObject({ outcome });
  });
});

describe('BigQuery', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

  /** As much of Google as a dry run needs: a log-in that checks the signature, and the jobs of one project. */
  async function serveGoogle() {
    const seen: unknown[] = [];
    const port = await serve(async (request, response) => {
      const body = await text(request);
      if (request.url === '/token') {
        const [head, claims, signature] = (new URLSearchParams(body).get('assertion') ?? '').split('.');
        const isRight = createVerify('RSA-SHA256')
          .update(`${head}.${claims}`)
          .verify(publicKey, `${signature}`, 'base64url');
        response.writeHead(isRight ? 200 : 401, { 'content-type': 'application/json' });
        response.end(isRight ? '{"access_token":"granted"}' : '{"error":"invalid_grant"}');
        return;
      }
      seen.push({ authorization: request.headers.authorization, url: request.url, ...JSON.parse(body).configuration });
      const isMine = request.url?.startsWith('/bigquery/v2/projects/mine/jobs');
      response.writeHead(isMine ? 200 : 404, { 'content-type': 'application/json' });
      const job = { jobReference: { projectId: 'mine', jobId: 'j' }, status: { state: 'DONE' }, statistics: {} };
      response.end(JSON.stringify(isMine ? job : { error: { code: 404, message: 'No such project.' } }));
    });
    const base = `http://127.0.0.1:${port}`;
    const details = {
      type: 'service_account',
      project_id: 'mine',
      client_email: 'robot@mine.iam.gserviceaccount.com',
      private_key: privateKey,
      token_uri: `${base}/token`,
      api_endpoint: base,
    };
    return { port, seen, details };
  }

  test('logs the account in where its key says, and tries a query that costs nothing', async () => {
    const { port, seen, details } = await serveGoogle();
    expect(await testerFor(port).test('BIGQUERY', details)).toMatchObject({ isReachable: true, outcome: 'reached' });
    expect(seen).toMatchObject([{ authorization: 'Bearer granted', dryRun: true, query: { query: 'SELECT 1' } }]);
  });

  test('an emulator needs no account', async () => {
    const { port, details } = await serveGoogle();
    const { project_id, api_endpoint } = details;
    expect(await testerFor(port).test('BIGQUERY', { project_id, api_endpoint })).toMatchObject({ outcome: 'reached' });
  });

  test.each([
    ['another project', { project_id: 'other' }, 'refused'],
    ['a key that is none', { private_key: 'PEM' }, 'invalid_details'],
    ['the key of another account', { private_key: otherKey() }, 'refused'],
    ['no project', { project_id: null }, 'invalid_details'],
    ['no account at Google itself', { api_endpoint: null, private_key: null }, 'invalid_details'],
  ])('%s is told', async (_what, extra, outcome) => {
    const { port, details } = await serveGoogle();
    const verdict = await testerFor(port).test('BIGQUERY', { ...details, ...extra });
    expect(verdict).toMatchObject({ isReachable: false, outcome });
    expect(verdict.text).not.toMatch(/PRIVATE KEY|robot/);
  });

  test('a log-in that leads inside is blocked although the server itself is allowed', async () => {
    const { port, seen, details } = await serveGoogle();
    const verdict = await testerFor(port).test('BIGQUERY', { ...details, token_uri: 'http://169.254.169.254/token' });
    expect(verdict).toMatchObject({ outcome: 'blocked' });
    expect(seen).toEqual([]);
  });
});

test('no more tests than a few go on at once', async () => {
  const port = await serve(() => undefined);
  const tester = new ForkedConnectionTester({ allowed: [`127.0.0.1:${port}`], timeoutMs: 1_000, maxConcurrent: 1 });
  const slow = tester.test('HTTP', { url: `http://127.0.0.1:${port}/` });
  await expect(tester.test('HTTP', { url: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({ word: 'overloaded' });
  expect(await slow).toMatchObject({ outcome: 'timeout' });
});

function otherKey(): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
}
