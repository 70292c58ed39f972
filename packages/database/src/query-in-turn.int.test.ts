import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('queries of one connection are asked in turn, and one that fails harms no other', async () => {
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', listen);
  const client = await database.pool.connect();
  const [table, ...answers] = await Promise.allSettled([
    client.query('CREATE TEMPORARY TABLE steps (n serial, step int)'),
    client.query('INSERT INTO steps (step) VALUES ($1)', [1]),
    client.query({ text: 'SELECT 1 / $1::int', values: [0] }),
    client.query('INSERT INTO steps (step) VALUES ($1)', [2]),
    client.query({ text: 'SELECT step FROM steps ORDER BY n', rowMode: 'array' }),
  ]);
  client.release();
  expect(table?.status).toBe('fulfilled');
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(answers[3]).toMatchObject({ value: { rows: [[1], [2]] } });
  // Warnings are given on the next turn of the event loop.
  await new Promise(setImmediate);
  process.off('warning', listen);
  expect(warnings).toEqual([]);
});
