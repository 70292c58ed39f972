import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findFreePort } from '../../../packages/runtime/src/ports.ts';
import { Service } from './service.ts';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis && process.env['CI']) throw new Error('CI needs redis-server; .ci/run installs it.');

/** A Redis that keeps what it was told, as its own documentation recommends for queues. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  readonly #service: Service;

  static async start(folder: string): Promise<RedisServer> {
    mkdirSync(folder, { recursive: true });
    const server = new RedisServer(folder, await findFreePort());
    await server.#service.start();
    return server;
  }

  private constructor(folder: string, port: number) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#port = port;
    this.#service = new Service({
      name: 'Redis',
      command: [
        ...(['redis-server', '--port', String(port), '--bind', '127.0.0.1'] as const),
        ...['--dir', folder, '--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'],
      ],
      environment: { PATH: process.env['PATH'] },
      logFile: join(folder, 'redis.log'),
      isReady: async () => (await this.#ask('PING').catch(() => '')).startsWith('+PONG'),
    });
  }

  async flush(): Promise<void> {
    const answer = await this.#ask('FLUSHALL');
    if (!answer.startsWith('+OK')) throw new Error(`Redis did not empty itself: ${answer}`);
  }

  /** kill -9, and a start `downMs` later. */
  async crash(downMs: number): Promise<void> {
    await this.#service.kill();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await this.#service.start();
  }

  stop(): Promise<void> {
    return this.#service.kill();
  }

  /** One inline command; resolves to the first part of the answer. */
  #ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#port, '127.0.0.1', () => socket.write(`${command}\r\n`));
      socket.once('data', (bytes) => {
        resolve(bytes.toString());
        socket.destroy();
      });
      socket.once('error', reject);
    });
  }
}
