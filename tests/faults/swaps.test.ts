import { hugeAllocationModel, identityModel, sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningPlatform, startPlatform } from '../acceptance/support/platform.ts';
import { logIn, type RestClient } from '../acceptance/support/rest-client.ts';
import { deployModel, deploymentStatus, inferRecords } from '../acceptance/support/rest-flow.ts';
import { until } from '../acceptance/support/until.ts';
import { sizes } from './sizes.ts';
import { addVersion, deployVersion, untilRunning } from './support/pipeline-versions.ts';
import { countStatuses, failures, percentile, startLoad } from './support/steady-load.ts';

const perSecond = 200;
const records = [{ tensor: [1, 2, 3] }];
const sum = '"y":[6.0]';
const identity = '"y":[1.0,2.0,3.0]';

let platform: RunningPlatform;
let client: RestClient;
beforeAll(async () => {
  platform = await startPlatform();
  client = await logIn(platform);
});
afterAll(() => platform?.dispose());

it(
  `fails no request in ${sizes.swaps} swaps under ${perSecond} requests/s`,
  async () => {
    const pipeline = await deployModel(client, { modelBytes: sumModel(3) });
    const versions = [await addVersion(client, pipeline, identityModel('float32', ['N', 3])), pipeline.versionId];
    const load = startLoad(client, { url: pipeline.inferenceUrl, records, perSecond });
    const startedAtMs = performance.now();
    for (let swap = 0; swap < sizes.swaps; swap++) {
      await deployVersion(client, pipeline, versions[swap % 2]!);
      await untilRunning(client, pipeline);
      const wanted = swap % 2 === 0 ? identity : sum;
      // The gateway hears of it a moment after the status does.
      await until(async () => (await inferRecords(client, pipeline.inferenceUrl, records)).text.includes(wanted), {
        withinMs: 5_000,
        everyMs: 10,
        what: `the version of swap ${swap} to answer`,
      });
    }
    const answers = await load.stop();
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const p99 = percentile(
      answers.map(({ tookMs }) => tookMs),
      0.99,
    );
    process.stdout.write(
      `${sizes.swaps} swaps: ${answers.length} requests (${countStatuses(answers)}), p99 ${p99.toFixed(0)} ms\n`,
    );
    expect(failures(answers)).toEqual([]);
    expect(answers.filter(({ text }) => !text.includes(sum) && !text.includes(identity))).toEqual([]);
    expect(answers.length).toBeGreaterThan((seconds * perSecond) / 2);
  },
  60_000 + sizes.swaps * 15_000,
);

it('leaves the old version serving when the new one cannot be loaded, says why, and rolls back in one call', async () => {
  const pipeline = await deployModel(client, { modelBytes: sumModel(3) });
  const broken = await addVersion(client, pipeline, hugeAllocationModel());
  const load = startLoad(client, { url: pipeline.inferenceUrl, records, perSecond: 50 });
  await deployVersion(client, pipeline, broken);
  const told = await until(
    async () => {
      const { text } = await deploymentStatus(client, `${pipeline.name}-${pipeline.deploymentId}`);
      return text.includes('keeps serving') && text;
    },
    { withinMs: 60_000, what: 'the status to tell of the failure' },
  );
  expect(told).toMatch(/memory|alloc/i);
  await deployVersion(client, pipeline, pipeline.versionId);
  await untilRunning(client, pipeline);
  const answers = await load.stop();
  process.stdout.write(`a version that cannot be loaded, and back: ${countStatuses(answers)}\n`);
  expect(failures(answers)).toEqual([]);
  expect(answers.every(({ text }) => text.includes(sum))).toBe(true);
});
