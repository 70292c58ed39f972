import { podKeyHeader } from '@pademelon/contracts';
import type { DeadlineWatch } from '@pademelon/http1';
import { podSocketName } from '@pademelon/runtime/pod-socket';
import { UpstreamPool } from './upstream-pool.ts';

/** A ready pod with the connections to it. */
export class PodRoute {
  readonly id: string;
  readonly pool: UpstreamPool;
  /** Behind the request line's target: what every request to this pod begins with. */
  readonly headPrefix: string;
  /** Exchanges that were given to this pod and are not over. */
  inFlight = 0;
  /** When it last answered, or was given something while it had nothing; on the clock of performance.now(). */
  #lastSignMs = 0;

  constructor(options: { id: string; address: string; port: number; key: string; watch: DeadlineWatch }) {
    const { id, address, port, key, watch } = options;
    this.id = id;
    this.headPrefix = ` HTTP/1.1\r\n${podKeyHeader}: ${key}\r\n`;
    const localName = podSocketName(key, port);
    this.pool = new UpstreamPool({ address, port, localName, watch, connectMs: 1_000, idleMs: 30_000, maxIdle: 256 });
  }

  /** How long it has been at work without an answer. */
  get silentMs(): number {
    return this.inFlight === 0 ? 0 : performance.now() - this.#lastSignMs;
  }

  give(): void {
    if (this.inFlight === 0) this.#lastSignMs = performance.now();
    this.inFlight++;
  }

  takeBack(isAnswered: boolean): void {
    this.inFlight--;
    if (isAnswered) this.#lastSignMs = performance.now();
  }
}
