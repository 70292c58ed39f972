import { createPool, type Pool } from '@pademelon/database/sql';
import type { Platform } from './platform.ts';
import { platformDatabaseUrl } from './platform-database.ts';

/** The database of a started platform, which can be taken away from it. */
export interface DatabaseSwitch {
  readonly pool: Pool;
  /** Ends all connections and lets nobody connect, `pool` included, until `open`. */
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

export function connectToDatabase(platform: Platform): DatabaseSwitch {
  const url = platformDatabaseUrl(platform);
  const name = /\/\/[^/]*\/([^?]+)/.exec(url)![1]!;
  const pool = createPool(url, { max: 1 });
  const admin = createPool(url.replace(`/${name}?`, '/postgres?'), { max: 1 });
  // A connection that is ended while nobody uses it is an event, and no fault here.
  for (const one of [pool, admin]) one.on('error', () => undefined);
  return {
    pool,
    async shut() {
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await admin.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [name]);
    },
    async open() {
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    },
    async close() {
      await pool.end();
      await admin.end();
    },
  };
}
