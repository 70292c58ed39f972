import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { inferenceHostCommand, podCommand, processesOf } from '../../scripts/process-tree.ts';
import { repositoryFolder } from './support/repository.ts';
import { logIn, type RestClient } from './support/rest-client.ts';
import { type DeployedPipeline, deployModel, inferRecords, undeploy } from './support/rest-flow.ts';
import { until } from './support/until.ts';

const platform = inject('platform');
let client: RestClient;
let secondHost: ChildProcess;
let artifactFolder: string;
let output = '';

/** A second host as another machine would run it: the same settings, its own folder for model files. */
beforeAll(async () => {
  client = await logIn(platform);
  artifactFolder = mkdtempSync(join(tmpdir(), 'pademelon-second-host-'));
  const [first] = processesOf(platform.pid, inferenceHostCommand);
  const variables = readFileSync(`/proc/${first!.pid}/environ`, 'utf8').split('\0').filter(Boolean);
  // The channel to the launcher is the first host's own.
  const settings = variables.filter((line) => !line.startsWith('NODE_CHANNEL_'));
  const environment = Object.fromEntries(settings.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  secondHost = spawn(process.execPath, ['apps/inference/dist/main.js'], {
    cwd: repositoryFolder,
    env: { ...environment, PADEMELON_ARTIFACTS: artifactFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [secondHost.stdout, secondHost.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-8000);
    });
  }
});

afterAll(async () => {
  if (secondHost?.exitCode === null && secondHost.signalCode === null) {
    const ended = once(secondHost, 'exit');
    secondHost.kill('SIGTERM');
    await ended;
  }
  if (artifactFolder) rmSync(artifactFolder, { recursive: true, force: true, maxRetries: 10 });
});

const podsOf = (hostPid: number) => processesOf(hostPid, podCommand).length;

it('two hosts with separate artifact folders serve one deployment, and one goes on alone', async () => {
  const [first] = processesOf(platform.pid, inferenceHostCommand);
  let pipeline: DeployedPipeline | undefined;
  // A host takes part once it has registered: deploy until one replica lands on each.
  await until(
    async () => {
      if (pipeline !== undefined) await undeploy(client, pipeline);
      pipeline = await deployModel(client, { modelBytes: sumModel(3), replicas: 2 });
      return podsOf(first!.pid) === 1 && podsOf(secondHost.pid!) === 1;
    },
    { withinMs: 60_000, what: () => `a replica on each host; the second host wrote:\n${output}` },
  );
  await expectAnswers(pipeline!, 200);
  secondHost.kill('SIGKILL');
  await once(secondHost, 'exit');
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
