import pg from 'pg';

export interface ChangeListenerOptions {
  readonly databaseUrl: string;
  readonly channels: readonly string[];
  /** Called for every notification, and for every channel after each (re)connection: something may have been missed. */
  readonly onChange: (channel: string) => void;
  readonly reconnectMs?: number;
}

/**
 * Listens for NOTIFY on a connection of its own and comes back by itself when the database was away. Notifications are
 * hints: whoever listens also looks on a timer.
 */
export class ChangeListener {
  readonly #options: ChangeListenerOptions;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(options: ChangeListenerOptions) {
    this.#options = options;
  }

  /** Resolves after the first attempt to connect, whether it succeeded or not. */
  async start(): Promise<void> {
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const { databaseUrl, channels, onChange } = this.#options;
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'pademelon listener',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    this.#client = client;
    client.on('error', () => this.#reconnectLater(client));
    client.on('end', () => this.#reconnectLater(client));
    client.on('notification', ({ channel }) => onChange(channel));
    try {
      await client.connect();
      await client.query(channels.map((channel) => `LISTEN ${client.escapeIdentifier(channel)}`).join('; '));
      for (const channel of channels) onChange(channel);
    } catch {
      this.#reconnectLater(client);
    }
  }

  #reconnectLater(client: pg.Client): void {
    if (this.#isStopped || this.#client !== client) return;
    this.#client = null;
    client.end().catch(() => undefined);
    this.#timer = setTimeout(() => void this.#connect(), this.#options.reconnectMs ?? 500);
  }
}
