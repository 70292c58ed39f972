import { readdirSync } from 'node:fs';
import { sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  apiCommand,
  inferenceHostCommand,
  podCommand,
  processesOf,
  proportionalBytes,
} from '../../scripts/process-tree.ts';
import { type RunningPlatform, startPlatform } from '../acceptance/support/platform.ts';
import { logIn, type RestClient } from '../acceptance/support/rest-client.ts';
import { deployModel, inferRecords, undeploy, untilStatus } from '../acceptance/support/rest-flow.ts';
import { sizes } from './sizes.ts';
import { collectGarbage } from './support/collect-garbage.ts';
import { deployVersion } from './support/pipeline-versions.ts';

const gatewayCommand = /apps\/gateway\/(dist|src)\/main\.(js|ts)/;
const processes = { api: apiCommand, gateway: gatewayCommand, 'inference host': inferenceHostCommand };
const megabyte = 1e6;

let platform: RunningPlatform;
let client: RestClient;
beforeAll(async () => {
  platform = await startPlatform();
  client = await logIn(platform);
});
afterAll(() => platform?.dispose());

interface Holdings {
  readonly bytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

async function holdings(command: RegExp): Promise<Holdings> {
  const found = processesOf(platform.pid, command);
  expect(found).toHaveLength(1);
  const { pid } = found[0]!;
  await collectGarbage(pid);
  return {
    bytes: proportionalBytes(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

async function holdingsOfAll(): Promise<Record<string, Holdings>> {
  const all: Record<string, Holdings> = {};
  for (const [name, command] of Object.entries(processes)) all[name] = await holdings(command);
  return all;
}

it(
  `holds no more after ${sizes.deployCycles} deploys and undeploys than after a third of them`,
  async () => {
    const pipeline = await deployModel(client, { modelBytes: sumModel(3) });
    await undeploy(client, pipeline);
    let early: Record<string, Holdings> = {};
    for (let cycle = 1; cycle <= sizes.deployCycles; cycle++) {
      await deployVersion(client, pipeline, pipeline.versionId);
      await untilStatus(client, `${pipeline.name}-${pipeline.deploymentId}`, 'Running');
      const { status } = await inferRecords(client, pipeline.inferenceUrl, [{ tensor: [1, 2, 3] }]);
      // The gateway may hear of the pod a moment after the status does.
      expect([200, 404, 503]).toContain(status);
      await undeploy(client, pipeline);
      if (cycle === Math.ceil(sizes.deployCycles / 3)) early = await holdingsOfAll();
    }
    expect(processesOf(platform.pid, podCommand)).toEqual([]);
    for (const [name, late] of Object.entries(await holdingsOfAll())) {
      const { bytes, descriptors, threads } = early[name]!;
      process.stdout.write(
        `${name} after ${sizes.deployCycles} cycles: ${Math.round(bytes / megabyte)} → ` +
          `${Math.round(late.bytes / megabyte)} MB, ${descriptors} → ${late.descriptors} descriptors, ` +
          `${threads} → ${late.threads} threads\n`,
      );
      // What is compiled and kept for reuse grows by some megabytes still; a leak of each cycle adds up to more.
      expect(late.bytes, name).toBeLessThan(bytes * 1.1 + 10 * megabyte);
      // Connections to the database come and go; one for each cycle would be many more.
      expect(late.descriptors, name).toBeLessThanOrEqual(descriptors + 8);
      expect(late.threads, name).toBeLessThanOrEqual(threads + 4);
    }
  },
  60_000 + sizes.deployCycles * 6_000,
);
