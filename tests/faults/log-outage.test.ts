import { setTimeout as sleep } from 'node:timers/promises';
import { sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectToDatabase, type DatabaseSwitch } from '../acceptance/support/database-switch.ts';
import { type RunningPlatform, startPlatform } from '../acceptance/support/platform.ts';
import { logIn, type RestClient } from '../acceptance/support/rest-client.ts';
import { type DeployedPipeline, deployModel, inferRecords } from '../acceptance/support/rest-flow.ts';
import { until } from '../acceptance/support/until.ts';
import { sizes } from './sizes.ts';

const rowsPerRequest = 4_000;
const callers = 3;

let platform: RunningPlatform;
let client: RestClient;
let database: DatabaseSwitch;
beforeAll(async () => {
  // A small buffer, so that it runs over within seconds.
  platform = await startPlatform({ env: { PADEMELON_LOG_BUFFER_MIB: '1' } });
  client = await logIn(platform);
  database = connectToDatabase(platform);
});
afterAll(async () => {
  await database?.close();
  await platform?.dispose();
});

async function countLog(pipeline: DeployedPipeline): Promise<{ logged: number; dropped: number }> {
  const { rows } = await database.pool.query<{ logged: string; dropped: string }>(
    `SELECT coalesce((SELECT rows FROM inference_log_heads WHERE pipeline_id = $1), 0) AS logged,
            coalesce((SELECT sum(rows) FROM inference_log_drops WHERE pipeline_id = $1), 0) AS dropped`,
    [pipeline.id],
  );
  return { logged: Number(rows[0]!.logged), dropped: Number(rows[0]!.dropped) };
}

it(
  `answers while the database is away for ${sizes.databaseOutageMs} ms, and counts the gap in the log to the row`,
  async () => {
    const pipeline = await deployModel(client, { modelBytes: sumModel(3), replicas: 2 });
    const records = Array.from({ length: rowsPerRequest }, () => ({
      tensor: [Math.random(), Math.random(), Math.random()],
    }));
    let isOver = false;
    let answered = 0;
    const failed: string[] = [];
    const calling = Array.from({ length: callers }, async () => {
      while (!isOver) {
        const { status, text } = await inferRecords(client, pipeline.inferenceUrl, records);
        if (status === 200) answered += rowsPerRequest;
        else failed.push(`${status} ${text.slice(0, 200)}`);
      }
    });
    await until(async () => (await countLog(pipeline)).logged > 0, { withinMs: 20_000, what: 'the first logged rows' });
    await database.shut();
    const before = answered;
    await sleep(sizes.databaseOutageMs);
    const meanwhile = answered - before;
    await database.open();
    const back = answered;
    await until(async () => answered > back, { withinMs: 20_000, what: 'answers after the outage' });
    isOver = true;
    await Promise.all(calling);
    let counts = { logged: 0, dropped: 0 };
    await until(
      async () => {
        counts = await countLog(pipeline);
        return counts.logged + counts.dropped >= answered;
      },
      { withinMs: 60_000, what: () => `${answered} rows to be logged or counted: ${JSON.stringify(counts)}` },
    );
    process.stdout.write(
      `database away for ${sizes.databaseOutageMs} ms: ${answered} rows answered, ${meanwhile} of them meanwhile; ` +
        `${counts.logged} logged, ${counts.dropped} counted as dropped\n`,
    );
    expect(failed).toEqual([]);
    expect(meanwhile).toBeGreaterThan(0);
    expect(counts.dropped).toBeGreaterThan(0);
    expect(counts.logged + counts.dropped).toBe(answered);
  },
  120_000 + sizes.databaseOutageMs * 2,
);
