import { randomUUID } from 'node:crypto';
import { createPool, migrate, type Pool } from '@pademelon/database';
import pg from 'pg';

export interface TestDatabase {
  readonly url: string;
  readonly pool: Pool;
  /** Closes the pool and drops the database. */
  drop(): Promise<void>;
}

/** Name of the variable by which the test runner's set-up tells where its PostgreSQL is. */
export const testPostgresVariable = 'PADEMELON_TEST_POSTGRES_URL';

const templateName = 'pademelon_template';

/** A database of its own with the newest schema, cloned from a template that is migrated once a test run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env[testPostgresVariable];
  if (!serverUrl) throw new Error('Integration tests need the set-up of vitest.config.ts, which starts PostgreSQL.');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await withClient(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${templateName}`));
  const url = withDatabase(serverUrl, name);
  const pool = createPool(url);
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      await withClient(serverUrl, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

/** Makes the template; called once by the test runner's set-up. */
export async function prepareTemplate(serverUrl: string): Promise<void> {
  await withClient(serverUrl, (client) => client.query(`CREATE DATABASE ${templateName}`));
  await migrate(withDatabase(serverUrl, templateName));
}

function withDatabase(serverUrl: string, name: string): string {
  return serverUrl.replace('///pademelon?', `///${name}?`);
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
