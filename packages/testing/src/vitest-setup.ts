import { prepareTemplate, testPostgresVariable } from './test-database.ts';
import { startTestPostgres } from './test-postgres.ts';

/** One PostgreSQL for the whole run of the integration tests. */
export async function setup(): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres();
  try {
    await prepareTemplate(postgres.url);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  process.env[testPostgresVariable] = postgres.url;
  return postgres.stop;
}
