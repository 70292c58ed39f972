import pg from 'pg';
import { queryInTurn } from './query-in-turn.ts';

export type Pool = pg.Pool;

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
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  });
  pool.on('connect', queryInTurn);
  // A connection that breaks while idle is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}
