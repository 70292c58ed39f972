import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { startTestPostgres } from '@pademelon/testing';
import { findFreePort } from '../../../packages/runtime/src/ports.ts';

/** PostgreSQL and Redis, as the compose file has them beside the services; what they listen on is on loopback. */
export interface Neighbours {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  stop(): Promise<void>;
}

export async function startNeighbours(): Promise<Neighbours> {
  const postgres = await startTestPostgres();
  const url = new URL(postgres.url);
  const socket = `${url.searchParams.get('host')}/.s.PGSQL.${url.port || 5432}`;
  // The test server has a socket that only this user may open.
  const bridge = createServer((client) => {
    const server = connect(socket);
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(bridge, 'listening');
  const { port } = bridge.address() as { port: number };

  const redisPort = await findFreePort();
  const options = ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const redis = spawn('redis-server', options, { stdio: 'ignore' });
  return {
    databaseUrl: `postgres://${url.searchParams.get('user')}@127.0.0.1:${port}${url.pathname}`,
    redisUrl: `redis://127.0.0.1:${redisPort}`,
    async stop() {
      redis.kill('SIGTERM');
      if (redis.exitCode === null) await once(redis, 'exit');
      bridge.close();
      await postgres.stop();
    },
  };
}

/** This machine's own address in its network, where there is one: containers have one, too. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
