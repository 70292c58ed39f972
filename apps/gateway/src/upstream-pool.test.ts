import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { DeadlineWatch } from '@pademelon/http1';
import { podSocketName } from '@pademelon/runtime/pod-socket';
import { afterEach, expect, it } from 'vitest';
import type { UpstreamConnection } from './upstream-connection.ts';
import { UpstreamPool } from './upstream-pool.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A server that counts its callers. */
async function startServer(where: ListenOptions): Promise<{ server: Server; callers: () => number }> {
  let callers = 0;
  const server = createServer((socket) => {
    callers++;
    socket.on('error', () => undefined);
    cleanUps.push(() => socket.destroy());
  });
  cleanUps.push(() => server.close());
  server.listen(where);
  await once(server, 'listening');
  return { server, callers: () => callers };
}

async function setup({ isLocal }: { isLocal: boolean }) {
  const key = randomUUID();
  const onPort = await startServer({ host: '127.0.0.1', port: 0 });
  const { port } = onPort.server.address() as AddressInfo;
  const localName = podSocketName(key, port)!;
  const onSocket = isLocal ? await startServer({ path: localName }) : null;
  const watch = new DeadlineWatch();
  const pool = new UpstreamPool({
    address: '127.0.0.1',
    port,
    localName,
    watch,
    connectMs: 1_000,
    idleMs: 1_000,
    maxIdle: 8,
  });
  cleanUps.push(() => {
    pool.close();
    watch.stop();
  });
  const acquire = (): Promise<UpstreamConnection | null> => new Promise((resolve) => pool.acquire(resolve));
  return { pool, acquire, onPort, onSocket };
}

it.runIf(process.platform === 'linux')('reaches a pod of its own machine by its socket', async () => {
  const { acquire, onPort, onSocket } = await setup({ isLocal: true });
  expect((await acquire())?.isUsable).toBe(true);
  expect((await acquire())?.isUsable).toBe(true);
  await expect.poll(() => onSocket!.callers()).toBe(2);
  expect(onPort.callers()).toBe(0);
});

it('reaches a pod of another machine by its port, from the first request on', async () => {
  const { acquire, onPort } = await setup({ isLocal: false });
  expect((await acquire())?.isUsable).toBe(true);
  expect((await acquire())?.isUsable).toBe(true);
  await expect.poll(() => onPort.callers()).toBe(2);
});

it('says once, and late enough, that a pod can be reached in neither way', async () => {
  const { acquire, onPort, onSocket } = await setup({ isLocal: true });
  onSocket!.server.close();
  onPort.server.close();
  expect(await acquire()).toBeNull();
});
