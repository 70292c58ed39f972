import { channels } from '@pademelon/contracts';
import { ChangeListener } from '@pademelon/database/sql';

export interface TableRefresherOptions {
  readonly databaseUrl: string;
  readonly refreshRoutes: () => Promise<void>;
  readonly refreshAccess: () => Promise<void>;
  /** Told when refreshing begins to fail and when it works again. */
  readonly onOutage: (error: unknown) => void;
  readonly onRecovery: () => void;
  readonly intervalMs?: number;
}

/**
 * Keeps the gateway's tables as the database has them: reads them when told of a change, and every two seconds in case
 * a notification was lost. While the database is away the tables stay as they were.
 */
export class TableRefresher {
  readonly #options: TableRefresherOptions;
  readonly #listener: ChangeListener;
  readonly #running = new Map<() => Promise<void>, { mustRepeat: boolean }>();
  #timer: NodeJS.Timeout | null = null;
  #isOut = false;

  constructor(options: TableRefresherOptions) {
    this.#options = options;
    this.#listener = new ChangeListener({
      databaseUrl: options.databaseUrl,
      channels: [channels.routes, channels.deployments, channels.access],
      onChange: (channel) =>
        void this.#refresh(channel === channels.access ? options.refreshAccess : options.refreshRoutes),
    });
  }

  async start(): Promise<void> {
    const { refreshRoutes, refreshAccess, intervalMs = 2_000 } = this.#options;
    await Promise.all([this.#refresh(refreshRoutes), this.#refresh(refreshAccess)]);
    await this.#listener.start();
    this.#timer = setInterval(() => {
      void this.#refresh(refreshRoutes);
      void this.#refresh(refreshAccess);
    }, intervalMs);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#listener.stop();
  }

  /** One at a time of each kind: what is asked for meanwhile becomes one more, which sees the change. */
  async #refresh(read: () => Promise<void>): Promise<void> {
    const running = this.#running.get(read);
    if (running !== undefined) {
      running.mustRepeat = true;
      return;
    }
    const state = { mustRepeat: true };
    this.#running.set(read, state);
    while (state.mustRepeat) {
      state.mustRepeat = false;
      await this.#attempt(read);
    }
    this.#running.delete(read);
  }

  async #attempt(read: () => Promise<void>): Promise<void> {
    try {
      await read();
      if (this.#isOut) this.#options.onRecovery();
      this.#isOut = false;
    } catch (error) {
      if (!this.#isOut) this.#options.onOutage(error);
      this.#isOut = true;
    }
  }
}
