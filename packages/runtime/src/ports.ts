import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Linux takes the port of an outgoing connection from 32768 on, other systems from 49152 on. A port below can be given
 * to a process that listens on it later, or again after its death: no connection takes it in between.
 */
const lowest = 20_000;
const highest = 32_767;
const attempts = 100;

/** A port of `host` that nothing listens on now and that no connection gets. Rejects as `tryToListen` does. */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = randomInt(lowest, highest + 1);
    try {
      await tryToListen(host, port);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === attempts) throw error;
    }
  }
}

/** Listens for a moment; rejects with the error of the system (EADDRINUSE, EACCES, …) when that cannot be done. */
export async function tryToListen(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
