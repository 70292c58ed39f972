import { createServer, type Server, type Socket } from 'node:net';
import { ClientConnection, type ClientConnectionOptions } from './client-connection.ts';

export interface GatewayOptions extends Omit<ClientConnectionOptions, 'onClosed'> {
  /** More callers than this are turned away by the kernel's queue. */
  readonly maxConnections: number;
}

/** The front door: accepts connections and closes them in order when it stops. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #connections = new Set<ClientConnection>();
  #isStopping = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  /** Resolves with the port, which the system chooses when 0 is asked for. Rejects when it is taken. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as { port: number }).port);
      });
    });
  }

  /** Accepts no more, lets requests under way finish for at most so long, then cuts them off. */
  async stop(deadlineMs = 10_000): Promise<void> {
    this.#isStopping = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.closeWhenIdle();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, deadlineMs);
    await closed;
    clearTimeout(timer);
  }

  #accept(socket: Socket): void {
    const connection = new ClientConnection(socket, {
      ...this.#options,
      onClosed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    if (this.#isStopping) connection.closeWhenIdle();
  }
}
