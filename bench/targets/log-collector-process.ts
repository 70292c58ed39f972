// Takes the pods' log records and stores them in a PostgreSQL of its own: what the inference host does beside its pods.
// Arguments: a folder for the database, and the socket to listen on.
import { join } from 'node:path';
import { migrate } from '@pademelon/database';
import { createPool, PgInferenceLogSink } from '@pademelon/database/sql';
import { startLogCollector } from '@pademelon/inference-log';
import { startLocalPostgres } from '@pademelon/local-postgres';

const [folder, socketPath] = process.argv.slice(2) as [string, string];
const postgres = await startLocalPostgres({ folder: join(folder, 'postgres') });
await migrate(postgres.url);
const pool = createPool(postgres.url, { max: 6, name: 'bench' });
const collector = await startLogCollector({
  socketPath,
  sink: new PgInferenceLogSink(pool),
  onProblem: (error, what) => process.stderr.write(`${what}: ${error}\n`),
});
process.send!('ready');

process.on('disconnect', async () => {
  await collector.stop();
  const { writtenRows, dropped } = collector.stats();
  const lost = Object.values(dropped).reduce((total, counts) => total + counts.rows, 0);
  process.stderr.write(`The pods' log holds ${writtenRows} rows; ${lost} were dropped.\n`);
  await pool.end();
  await postgres.stop();
});
