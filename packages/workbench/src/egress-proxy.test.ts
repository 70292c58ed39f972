import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type EgressOptions, type EgressProxy, startEgressProxy } from './egress-proxy.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(outside: Pick<EgressOptions, 'resolve' | 'connect'> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'egress-'));
  const seen: string[] = [];
  const target = createHttpServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.connection}`);
    response.end('reached');
  });
  await new Promise<void>((done) => target.listen(0, '127.0.0.1', done));
  const { port } = target.address() as AddressInfo;
  const refused: string[] = [];
  const proxy: EgressProxy = await startEgressProxy({
    socketPath: join(folder, 'egress.sock'),
    policy: {
      allowed: [
        { host: '127.0.0.1', port },
        { host: 'db.internal', port },
      ],
      linked: [
        { host: 'linked.internal', port },
        { host: '127.0.0.2', port },
        { host: 'linked.example', port: 5432 },
      ],
    },
    onRefused: (host, refusedPort) => refused.push(`${host}:${refusedPort}`),
    ...outside,
  });
  cleanups.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => target.close(),
    () => proxy.close(),
  );
  /** Sends the text and resolves to everything that comes back. */
  const ask = async (text: string): Promise<string> => {
    const socket = connect(proxy.socketPath);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return answer;
  };
  return { ask, port, refused, seen };
}

const get = 'GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';

test('an allowed address is reached by a forward, by CONNECT and by an absolute URL', async () => {
  const { ask, port, seen } = await setup();
  expect(await ask(`TCP 127.0.0.1:${port}\n${get}`)).toContain('reached');
  expect(await ask(`PROXY\nCONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n${get}`)).toMatch(/^HTTP\/1\.1 200 .*reached$/s);
  expect(await ask(`PROXY\nGET http://127.0.0.1:${port}/y?z=1 HTTP/1.1\r\nhost: x\r\n\r\n`)).toContain('reached');
  expect(seen).toEqual(['GET /x close', 'GET /x close', 'GET /y?z=1 close']);
});

test('an allowed name is reached where it resolves to a private address', async () => {
  const { ask, port } = await setup({ resolve: async () => ['127.0.0.1'] });
  expect(await ask(`TCP db.internal:${port}\n${get}`)).toContain('reached');
});

test.each([
  '127.0.0.1:1',
  '0.0.0.0:80',
  '[::1]:80',
  '[::ffff:127.0.0.1]:80',
  '[::ffff:7f00:1]:80',
  '169.254.169.254:80',
  '10.0.0.1:443',
  '192.168.1.1:80',
  '8.8.8.8:25',
])('%s is refused and told', async (authority) => {
  const { ask, refused } = await setup();
  expect(await ask(`PROXY\nCONNECT ${authority} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 .*PADEMELON_RUN_ALLOW/s);
  expect(refused).toEqual([authority.replace(/[[\]]/g, '')]);
});

test('a public name that resolves to a private address is refused', async () => {
  const { ask } = await setup({ resolve: async () => ['127.0.0.1'] });
  expect(await ask('PROXY\nGET http://rebind.example/ HTTP/1.1\r\nhost: rebind.example\r\n\r\n')).toContain(' 403 ');
});

test('of the addresses of a name only those that may be reached are connected to', async () => {
  const asked: string[] = [];
  const connect = async (address: string, port: number): Promise<null> => {
    asked.push(`${address} ${port}`);
    return null;
  };
  const { ask } = await setup({ resolve: async () => ['10.0.0.1', '8.8.8.8', '::1'], connect });
  for (const port of [80, 443, 8080]) await ask(`PROXY\nCONNECT web.example:${port} HTTP/1.1\r\n\r\n`);
  expect(asked).toEqual(['8.8.8.8 80', '8.8.8.8 443']);
});

test('a number that means loopback to some resolvers is refused', async () => {
  const { ask } = await setup();
  expect(await ask('PROXY\nGET http://2130706433/ HTTP/1.1\r\nhost: x\r\n\r\n')).toContain(' 403 ');
  expect(await ask('PROXY\nGET http://0x7f.1/ HTTP/1.1\r\nhost: x\r\n\r\n')).toContain(' 403 ');
});

test('what is no proxy request is refused', async () => {
  const { ask } = await setup();
  expect(await ask('PROXY\nGET / HTTP/1.1\r\nhost: x\r\n\r\n')).toContain(' 400 ');
  expect(await ask('PROXY\nGET gopher://x/ HTTP/1.1\r\n\r\n')).toContain(' 400 ');
  expect(await ask('NONSENSE\n')).toBe('');
});

test('a linked connection opens no private address, under its name or as a number', async () => {
  const { ask, port, refused } = await setup({ resolve: async () => ['127.0.0.1'] });
  expect(await ask(`TCP linked.internal:${port}\n${get}`)).toBe('');
  expect(await ask(`TCP 127.0.0.2:${port}\n${get}`)).toBe('');
  expect(refused).toEqual([`linked.internal:${port}`, `127.0.0.2:${port}`]);
});
