import type { Pool, PoolClient } from 'pg';

/**
 * Does the work in a transaction of one connection. When it throws, the connection is in an unknown state: it is closed,
 * which rolls back, and not used again.
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}
