import { once } from 'node:events';
import { loopingModel, sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inferenceHostCommand, podCommand, processesOf } from '../../scripts/process-tree.ts';
import { type RunningPlatform, startPlatform } from '../acceptance/support/platform.ts';
import { logIn, type RestClient } from '../acceptance/support/rest-client.ts';
import { deployModel, inferRecords, undeploy } from '../acceptance/support/rest-flow.ts';
import { type SecondHost, startSecondHost } from '../acceptance/support/second-host.ts';
import { until } from '../acceptance/support/until.ts';
import { sizes } from './sizes.ts';
import { countStatuses, failures, startLoad } from './support/steady-load.ts';

const perSecond = 200;
const records = [{ tensor: [1, 2, 3] }];
const timeoutMs = 120_000 + (sizes.requestsUnderTermination / perSecond) * 3_000;

let platform: RunningPlatform;
let client: RestClient;
beforeAll(async () => {
  platform = await startPlatform();
  client = await logIn(platform);
});
afterAll(() => platform?.dispose());

const podsOf = (pid: number): number[] => processesOf(pid, podCommand).map((entry) => entry.pid);

async function gatewayMetrics(): Promise<string> {
  return (await client.send('/gateway/metrics', { method: 'GET' })).text;
}

/** The emptier second host takes the places of the first one's pods over. */
async function moveToSecondHost(firstPid: number, second: SecondHost): Promise<void> {
  for (const pid of podsOf(firstPid)) process.kill(pid, 'SIGTERM');
  await until(async () => podsOf(second.process.pid!).length > 0 && podsOf(firstPid).length === 0, {
    withinMs: 30_000,
    everyMs: 50,
    what: () => `a pod on the second host alone; it wrote:\n${second.output()}`,
  });
}

it(
  `SIGTERM of a pod, again and again, fails none of ${sizes.requestsUnderTermination} requests`,
  async () => {
    const pipeline = await deployModel(client, { modelBytes: sumModel(3) });
    const load = startLoad(client, { url: pipeline.inferenceUrl, records, perSecond });
    let ended = 0;
    while (load.answers.length < sizes.requestsUnderTermination) {
      const [pod] = podsOf(platform.pid);
      process.kill(pod!, 'SIGTERM');
      await until(async () => !podsOf(platform.pid).includes(pod!) && podsOf(platform.pid).length === 1, {
        withinMs: 20_000,
        everyMs: 20,
        what: 'another pod to have taken its place',
      });
      ended += 1;
    }
    const answers = await load.stop();
    process.stdout.write(`SIGTERM of ${ended} pods: ${answers.length} requests (${countStatuses(answers)})\n`);
    expect(failures(answers)).toEqual([]);
    expect(ended).toBeGreaterThan(1);
    await undeploy(client, pipeline);
  },
  timeoutMs,
);

it(
  `SIGTERM of a host, again and again, fails none of ${sizes.requestsUnderTermination} requests`,
  async () => {
    const [first] = processesOf(platform.pid, inferenceHostCommand);
    const pipeline = await deployModel(client, { modelBytes: sumModel(3) });
    const load = startLoad(client, { url: pipeline.inferenceUrl, records, perSecond });
    let ended = 0;
    let second: SecondHost | undefined;
    try {
      while (load.answers.length < sizes.requestsUnderTermination) {
        second = await startSecondHost(first!.pid);
        const { process: host } = second;
        await moveToSecondHost(first!.pid, second);
        const exited = once(host, 'exit');
        host.kill('SIGTERM');
        expect(await exited, second.output()).toEqual([0, null]);
        expect(podsOf(first!.pid).length).toBeGreaterThan(0);
        second = undefined;
        ended += 1;
      }
    } finally {
      second?.process.kill('SIGKILL');
    }
    const answers = await load.stop();
    process.stdout.write(`SIGTERM of ${ended} hosts: ${answers.length} requests (${countStatuses(answers)})\n`);
    expect(failures(answers)).toEqual([]);
    expect(ended).toBeGreaterThan(0);
  },
  timeoutMs,
);

it('SIGTERM of a host lets requests finish that take longer together than other processes get to stop', async () => {
  const [first] = processesOf(platform.pid, inferenceHostCommand);
  const pipeline = await deployModel(client, { modelBytes: loopingModel() });
  const tookMs = async (rounds: number): Promise<number> => {
    const startedAtMs = performance.now();
    const answer = await inferRecords(client, pipeline.inferenceUrl, [{ x: rounds }]);
    expect(answer.status, answer.text).toBe(200);
    return performance.now() - startedAtMs;
  };
  const second = await startSecondHost(first!.pid);
  const exited = once(second.process, 'exit');
  try {
    await moveToSecondHost(first!.pid, second);
    const roundsInASecond = (1_000 * 1_000_000) / (await tookMs(1_000_000));
    const answered = Promise.allSettled(Array.from({ length: 5 }, () => tookMs(4 * roundsInASecond)));
    await until(async () => /^gateway_inferences_in_flight 5$/m.test(await gatewayMetrics()), {
      withinMs: 10_000,
      what: 'the requests to be with the pod',
    });
    second.process.kill('SIGTERM');
    const answers = await answered;
    expect(answers.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(Math.max(...answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 0)))).toBeGreaterThan(
      15_000,
    );
    expect(await exited, second.output()).toEqual([0, null]);
  } finally {
    second.process.kill('SIGKILL');
  }
  await undeploy(client, pipeline);
});
