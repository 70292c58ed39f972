import { once } from 'node:events';
import { sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { inferenceHostCommand, podCommand, processesOf } from '../../scripts/process-tree.ts';
import { logIn, type RestClient } from './support/rest-client.ts';
import { type DeployedPipeline, deployModel, inferRecords, undeploy } from './support/rest-flow.ts';
import { type SecondHost, startSecondHost } from './support/second-host.ts';
import { until } from './support/until.ts';

const platform = inject('platform');
let client: RestClient;
let secondHost: SecondHost;

beforeAll(async () => {
  client = await logIn(platform);
  const [first] = processesOf(platform.pid, inferenceHostCommand);
  secondHost = await startSecondHost(first!.pid);
});

afterAll(() => void secondHost?.process.kill('SIGKILL'));

const podsOf = (hostPid: number) => processesOf(hostPid, podCommand).length;

it('two hosts with separate artifact folders serve one deployment, and one goes on alone', async () => {
  const [first] = processesOf(platform.pid, inferenceHostCommand);
  let pipeline: DeployedPipeline | undefined;
  // A host takes part once it has registered: deploy until one replica lands on each.
  await until(
    async () => {
      if (pipeline !== undefined) await undeploy(client, pipeline);
      pipeline = await deployModel(client, { modelBytes: sumModel(3), replicas: 2 });
      return podsOf(first!.pid) === 1 && podsOf(secondHost.process.pid!) === 1;
    },
    { withinMs: 60_000, what: () => `a replica on each host; the second host wrote:\n${secondHost.output()}` },
  );
  await expectAnswers(pipeline!, 200);
  secondHost.process.kill('SIGKILL');
  await once(secondHost.process, 'exit');
  await until(async () => podsOf(first!.pid) === 2, { withinMs: 30_000, what: 'the first host to take both replicas' });
  await expectAnswers(pipeline!, 200);
  await undeploy(client, pipeline!);
});

async function expectAnswers(pipeline: DeployedPipeline, count: number): Promise<void> {
  for (let round = 0; round < count / 10; round++) {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => inferRecords(client, pipeline.inferenceUrl, [{ tensor: [1, 2, 3] }])),
    );
    for (const answer of answers) expect(answer.status, answer.text).toBe(200);
  }
}
