import { createTestDatabase } from '@pademelon/testing';
import { expect, test } from 'vitest';
import { migrate } from './migrate.ts';

test('a migrated database is left alone, by two processes at once too', async () => {
  const database = await createTestDatabase();
  try {
    const results = await Promise.all([migrate(database.url), migrate(database.url)]);
    expect(results).toEqual([[], []]);
    const { rows } = await database.pool.query('SELECT count(*)::int AS count FROM _prisma_migrations');
    expect(rows[0].count).toBeGreaterThan(0);
  } finally {
    await database.drop();
  }
});

test('two processes that start on an empty database apply each migration once', async () => {
  const database = await createTestDatabase();
  try {
    await database.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const results = await Promise.all([migrate(database.url), migrate(database.url)]);
    expect(results.filter((applied) => applied.length > 0)).toHaveLength(1);
    const { rows } = await database.pool.query(
      'SELECT migration_name, count(*)::int AS count FROM _prisma_migrations GROUP BY 1 HAVING count(*) > 1',
    );
    expect(rows).toEqual([]);
  } finally {
    await database.drop();
  }
});
