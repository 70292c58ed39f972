import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { findFreePort, tryToListen } from './ports.ts';

it('finds a port that can be listened on and that no outgoing connection is given', async () => {
  const port = await findFreePort();
  await tryToListen('127.0.0.1', port);
  expect(port).toBeGreaterThan(1024);
  if (process.platform !== 'linux') return;
  const [lowest] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t');
  expect(port).toBeLessThan(Number(lowest));
});

it('says what the system says of a port that is taken and of an address that is none', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  await expect(tryToListen('127.0.0.1', (server.address() as AddressInfo).port)).rejects.toThrow('EADDRINUSE');
  server.close();
  await expect(findFreePort('192.0.2.1')).rejects.toThrow('EADDRNOTAVAIL');
});
