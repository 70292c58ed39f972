import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from './pool.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('a connection that breaks between two queries of a transaction fails the next one and nothing else', async () => {
  const pool = createPool(database.url);
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await client.query('BEGIN');
  const ended = new Promise((resolve) => client.once('end', resolve));
  // An 'error' event that nobody listens to would end the process, here the test run.
  await database.pool.query('SELECT pg_terminate_backend($1, 10000)', [rows[0]!.pid]);
  await ended;
  await expect(client.query('SELECT 1')).rejects.toThrow();
  client.release();
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
});
