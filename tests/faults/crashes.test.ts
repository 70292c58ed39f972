import { allocatingModel, loopingModel, sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { podCommand, processesOf } from '../../scripts/process-tree.ts';
import { type RunningPlatform, startPlatform } from '../acceptance/support/platform.ts';
import { logIn, type RestAnswer, type RestClient } from '../acceptance/support/rest-client.ts';
import {
  type DeployedPipeline,
  deployModel,
  deploymentStatus,
  inferRecords,
  undeploy,
  untilStatus,
} from '../acceptance/support/rest-flow.ts';
import { until } from '../acceptance/support/until.ts';
import { countStatuses, failures, type SteadyLoad, startLoad } from './support/steady-load.ts';

const runDeadlineMs = 2_000;
const backWithinMs = 3_000;
/** Few rounds of a loop, little memory: answered at once. */
const harmless = [{ x: 1 }];
const endless = [{ x: 1e15 }];

let platform: RunningPlatform;
let client: RestClient;
/** What must not notice anything. */
let neighbour: DeployedPipeline;
beforeAll(async () => {
  platform = await startPlatform({ env: { PADEMELON_RUN_DEADLINE_MS: String(runDeadlineMs) } });
  client = await logIn(platform);
  neighbour = await deployModel(client, { modelBytes: sumModel(3) });
});
afterAll(() => platform?.dispose());

let load: SteadyLoad;
let others: ReadonlySet<number>;
beforeEach(() => {
  others = new Set(podsNow());
  load = startLoad(client, { url: neighbour.inferenceUrl, records: [{ tensor: [1, 2, 3] }], perSecond: 50 });
  // Runs when the test is over, however it ended: the neighbour's callers have seen nothing.
  return async () => expect(failures(await load.stop())).toEqual([]);
});

const podsNow = (): number[] => processesOf(platform.pid, podCommand).map(({ pid }) => pid);
const victimPods = (): number[] => podsNow().filter((pid) => !others.has(pid));
const infer = (pipeline: DeployedPipeline, records: unknown): Promise<RestAnswer> =>
  inferRecords(client, pipeline.inferenceUrl, records);

/** Milliseconds until the pipeline answers again. */
async function backAfterMs(pipeline: DeployedPipeline, sinceMs: number): Promise<number> {
  await until(async () => (await infer(pipeline, harmless)).status === 200, {
    withinMs: 20_000,
    everyMs: 20,
    what: 'the pipeline to answer again',
  });
  return performance.now() - sinceMs;
}

function report(what: string, backMs: number): void {
  process.stdout.write(
    `${what}: back after ${backMs.toFixed(0)} ms; its neighbour's callers got ${countStatuses(load.answers)}\n`,
  );
}

it.each(['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const)(
  'a pod that ends by %s is back within three seconds',
  async (signal) => {
    const pipeline = await deployModel(client, { modelBytes: loopingModel() });
    const [pod] = victimPods();
    const endedAtMs = performance.now();
    process.kill(pod!, signal);
    await until(async () => !victimPods().includes(pod!), { withinMs: 5_000, everyMs: 5, what: 'the end of the pod' });
    const backMs = await backAfterMs(pipeline, endedAtMs);
    report(signal, backMs);
    expect(backMs).toBeLessThan(backWithinMs);
    await undeploy(client, pipeline);
  },
);

it('a pod in an endless loop is ended, all its callers are told 504, and another is back within three seconds', async () => {
  const pipeline = await deployModel(client, { modelBytes: loopingModel() });
  const [pod] = victimPods();
  const startedAtMs = performance.now();
  const stuck = infer(pipeline, endless);
  const behind = Array.from({ length: 5 }, () => infer(pipeline, harmless));
  const answers = await Promise.all([stuck, ...behind]);
  const toldAtMs = performance.now();
  // Those that came before the endless one were answered.
  const told = answers.filter(({ status }) => status !== 200);
  expect((await stuck).status).toBe(504);
  expect((await stuck).text).toContain('ran longer than the 2 s that one request may take');
  for (const { status, text } of told) expect(status, text).toBe(504);
  expect(toldAtMs - startedAtMs).toBeLessThan(runDeadlineMs + 3_000);
  const backMs = await backAfterMs(pipeline, toldAtMs);
  report(`endless loop, ${told.length} callers told after ${(toldAtMs - startedAtMs).toFixed(0)} ms`, backMs);
  expect(backMs).toBeLessThan(backWithinMs);
  expect(victimPods()).not.toContain(pod);
  await undeploy(client, pipeline);
});

it('a pod that takes too much memory is ended with the reason, and another is back within three seconds', async () => {
  const engine = { resources: { limits: { cpu: 1, memory: '400Mi' } } };
  const pipeline = await deployModel(client, { modelBytes: allocatingModel(), engine });
  const [pod] = victimPods();
  await infer(pipeline, [{ x: 2e8 }]);
  await until(async () => !victimPods().includes(pod!), { withinMs: 20_000, everyMs: 5, what: 'the end of the pod' });
  const endedAtMs = performance.now();
  const backMs = await backAfterMs(pipeline, endedAtMs);
  report('out of memory', backMs);
  expect(backMs).toBeLessThan(backWithinMs);
  const { text } = await deploymentStatus(client, `${pipeline.name}-${pipeline.deploymentId}`);
  expect(text).toContain('more than its limit of 400 MiB');
  await undeploy(client, pipeline);
});

it('a pod that crashes again and again is tried ever more slowly and shown as an error with its reason', async () => {
  const pipeline = await deployModel(client, { modelBytes: loopingModel() });
  const pausesMs: number[] = [];
  for (let crash = 0; crash < 5; crash++) {
    const endedAtMs = performance.now();
    for (const pod of victimPods()) process.kill(pod, 'SIGKILL');
    if (crash === 3) {
      const status = await untilStatus(client, `${pipeline.name}-${pipeline.deploymentId}`, 'Error', 5_000);
      expect(JSON.stringify(status)).toContain('ended with signal SIGKILL');
    }
    await backAfterMs(pipeline, endedAtMs);
    pausesMs.push(performance.now() - endedAtMs);
  }
  process.stdout.write(`crash loop: back after ${pausesMs.map((pause) => pause.toFixed(0)).join(', ')} ms\n`);
  expect(pausesMs[4]! - pausesMs[0]!).toBeGreaterThan(2_000);
  await undeploy(client, pipeline);
});
