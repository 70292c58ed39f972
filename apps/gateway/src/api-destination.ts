import type { ErrorWord } from '@pademelon/contracts';
import type { DeadlineWatch } from '@pademelon/http1';
import type { Destination, Exchange } from './exchange.ts';
import { UpstreamPool } from './upstream-pool.ts';

/** The API behind the gateway: everything that is not an inference. */
export class ApiDestination implements Destination {
  readonly pool: UpstreamPool;
  /** The API has deadlines of its own, and streams without end. */
  readonly deadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: { address: string; port: number; watch: DeadlineWatch }) {
    // The API keeps an unused connection for 72 s (Fastify's default): ours are gone long before.
    this.pool = new UpstreamPool({ ...options, connectMs: 3_000, idleMs: 5_000, maxIdle: 64 });
  }

  dispatch(exchange: Exchange): void {
    this.pool.acquire((connection) => {
      if (exchange.isOver) connection?.release();
      else if (connection === null) exchange.fail('not_ready', 'The API cannot be reached; try again in a second.');
      else exchange.send(connection, '');
    });
  }

  retry(exchange: Exchange): void {
    this.dispatch(exchange);
  }

  release(): void {}

  explainLoss(): [ErrorWord, string] {
    return ['unavailable', 'The server that was working on this request ended; send it again.'];
  }
}
