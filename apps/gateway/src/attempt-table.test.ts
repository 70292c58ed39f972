import type { RunAttempt } from '@pademelon/database/sql';
import { expect, test } from 'vitest';
import { AttemptTable } from './attempt-table.ts';

const first = { runId: 'run', attempt: 1 };
const second = { runId: 'run', attempt: 2 };

function setup() {
  const database = { current: [first] as RunAttempt[], questions: 0, isAway: false };
  const table = new AttemptTable(async (asked) => {
    database.questions++;
    if (database.isAway) throw new Error('away');
    return asked.filter((one) => database.current.some((other) => other.attempt === one.attempt));
  });
  return { database, table };
}

test('an attempt is asked for once, then known', async () => {
  const { database, table } = setup();
  expect(await table.isCurrent(first)).toBe(true);
  expect(table.isCurrent(first)).toBe(true);
  expect(await table.isCurrent(second)).toBe(false);
  expect(table.isCurrent(second)).toBe(false);
  expect(database.questions).toBe(2);
});

test('a refresh tells what is over, and for good', async () => {
  const { database, table } = setup();
  await table.isCurrent(first);
  database.current = [second];
  expect(table.isCurrent(first)).toBe(true);
  await table.refresh();
  expect(table.isCurrent(first)).toBe(false);
  expect(await table.isCurrent(second)).toBe(true);
});

test('while the database is away what is known stays, and nothing new is let in', async () => {
  const { database, table } = setup();
  await table.isCurrent(first);
  database.isAway = true;
  await expect(table.refresh()).rejects.toThrow('away');
  expect(table.isCurrent(first)).toBe(true);
  await expect(table.isCurrent(second)).rejects.toThrow('away');
  database.isAway = false;
  database.current = [second];
  expect(await table.isCurrent(second)).toBe(true);
});
