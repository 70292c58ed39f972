// A worker of one run, for tests that freeze or kill it: claims the run named, carries it out and ends.
import { createPool, PgRunStore } from '@pademelon/database/sql';
import { probeSandbox } from '@pademelon/workbench';
import { RunExecutor } from './run-executor.ts';
import { testRunSettings, workbenchOf } from './worker-test-bench.ts';

const [databaseUrl = '', folder = '', runId = '', leaseMs = ''] = process.argv.slice(2);
const pool = createPool(databaseUrl);
const store = new PgRunStore(pool);
const executor = new RunExecutor({
  ...(await workbenchOf(folder, pool, [])),
  store,
  sandbox: await probeSandbox(),
  settings: testRunSettings,
});
const run = await store.claim(runId, 'fixture', Number(leaseMs));
if (run === null) throw new Error('The run could not be claimed.');
process.send?.('claimed');
await executor.execute(run);
await pool.end();
process.exit(0);
