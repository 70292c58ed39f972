import { UpstreamConnection, type UpstreamOptions } from './upstream-connection.ts';

export interface UpstreamPoolOptions extends Omit<UpstreamOptions, 'destination'> {
  readonly address: string;
  readonly port: number;
  /** The same server's Unix socket, if it is on this machine. */
  readonly localName?: string | null;
  /** An unused connection is closed after this time: shorter than the other side waits, which else might close it first. */
  readonly idleMs: number;
  readonly maxIdle: number;
}

/** Kept connections to one server. The one used last is used next, so that unneeded ones age and go. */
export class UpstreamPool {
  readonly #options: UpstreamPoolOptions;
  /** Null once nobody has answered there. */
  #localName: string | null;
  readonly #idle: UpstreamConnection[] = [];
  #isClosed = false;

  constructor(options: UpstreamPoolOptions) {
    this.#options = options;
    this.#localName = options.localName ?? null;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /** Calls back with a connection: at once when one is kept, later when one must be made, with null when it cannot. */
  acquire(onConnection: (connection: UpstreamConnection | null) => void): void {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      if (kept.isUsable) {
        kept.isKept = true;
        onConnection(kept);
        return;
      }
    }
    this.#open(onConnection);
  }

  /** Takes back a connection whose last response is complete. */
  release(connection: UpstreamConnection): void {
    if (this.#isClosed || !connection.isUsable || this.#idle.length >= this.#options.maxIdle) {
      connection.destroy();
      return;
    }
    connection.deadlineAt = this.#options.watch.now + this.#options.idleMs;
    this.#idle.push(connection);
  }

  /** Forgets a connection that ended while it was unused. */
  forget(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Closes what is unused now, and what is in use once it is given back. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #open(onConnection: (connection: UpstreamConnection | null) => void): void {
    const { address, port, watch, connectMs } = this.#options;
    const path = this.#localName;
    const destination = path === null ? { host: address, port, noDelay: true } : { path };
    UpstreamConnection.open({ destination, watch, connectMs, pool: this }, (connection) => {
      if (connection !== null || path === null) {
        onConnection(connection);
        return;
      }
      this.#localName = null;
      this.#open(onConnection);
    });
  }
}
