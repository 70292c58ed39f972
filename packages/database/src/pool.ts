import pg from 'pg';
import { queryInTurn } from './query-in-turn.ts';

export type Pool = pg.Pool;

/**
 * A connection that breaks makes its next query fail; without listeners the break itself would end the process. The
 * pool listens to those that are idle, pg to those with a query under way, and nobody to one between two queries of a
 * transaction.
 */
export function outliveBreaks(pool: Pool): void {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
}

/**
 * A pool that gives up instead of waiting for ever: pg's own defaults never time out, so a lost database would hang
 * every request.
 */
export function createPool(databaseUrl: string, options: { max?: number; name?: string } = {}): Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.max ?? 10,
    application_name: options.name ?? 'pademelon',
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    // For when the server can no longer say that it has given up.
    query_timeout: 35_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  });
  pool.on('connect', queryInTurn);
  outliveBreaks(pool);
  return pool;
}
