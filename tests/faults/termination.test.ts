import { once } from 'node:events';
import { sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inferenceHostCommand, podCommand, processesOf } from '../../scripts/process-tree.ts';
import { type RunningPlatform, startPlatform } from '../acceptance/support/platform.ts';
import { logIn, type RestClient } from '../acceptance/support/rest-client.ts';
import { deployModel, undeploy } from '../acceptance/support/rest-flow.ts';
import { until } from '../acceptance/support/until.ts';
import { sizes } from './sizes.ts';
import { type SecondHost, startSecondHost } from './support/second-host.ts';
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
        // The emptier second host takes the place of the first one's pod over.
        for (const pid of podsOf(first!.pid)) process.kill(pid, 'SIGTERM');
        await until(async () => podsOf(host.pid!).length > 0 && podsOf(first!.pid).length === 0, {
          withinMs: 30_000,
          everyMs: 50,
          what: () => `a pod on the second host alone; it wrote:\n${second!.output()}`,
        });
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
