import { readFile } from 'node:fs/promises';
import {
  customDomainModel,
  endlessLoopModel,
  externalDataModel,
  hugeAllocationModel,
  sumModel,
} from '@pademelon/testing/onnx';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { assetPath, hasAssets } from './support/repository.ts';
import { logIn, type RestClient } from './support/rest-client.ts';
import {
  createWorkspace,
  type DeployedPipeline,
  deployModel,
  deploymentStatus,
  inferRecords,
  sendModel,
  undeploy,
  uniqueName,
  untilStatus,
} from './support/rest-flow.ts';

const platform = inject('platform');
let client: RestClient;
let bystander: DeployedPipeline;

beforeAll(async () => {
  client = await logIn(platform);
  bystander = await deployModel(client, { modelBytes: sumModel(3) });
});
afterAll(() => undeploy(client, bystander));

async function expectBystanderUnharmed(): Promise<void> {
  const answer = await inferRecords(client, bystander.inferenceUrl, [{ tensor: [1, 2, 3] }]);
  expect(answer.status, answer.text).toBe(200);
}

/** Either the upload is refused with a reason, or the deployment's status tells it. */
async function reasonOfRefusal(bytes: Uint8Array): Promise<string> {
  const workspaceId = await createWorkspace(client);
  const sent = await sendModel(client, { name: uniqueName('bad'), fileName: 'bad.onnx', bytes, workspaceId });
  if (sent.status >= 400) {
    expect(sent.status, sent.text).toBeLessThan(500);
    return JSON.parse(sent.text).msg;
  }
  const pipeline = await deployModel(client, { modelBytes: bytes, isUnwatched: true });
  const status = await untilStatus(client, `${pipeline.name}-${pipeline.deploymentId}`, 'Error', 60_000);
  await undeploy(client, pipeline);
  return JSON.stringify(status);
}

describe('A bad model is refused with its reason, and others go on serving', () => {
  it('a text', async () => {
    expect(await reasonOfRefusal(Buffer.from('this is no model'.repeat(50)))).toMatch(/ONNX/i);
    await expectBystanderUnharmed();
  });

  it('an empty file', async () => {
    expect(await reasonOfRefusal(Buffer.alloc(0))).toMatch(/empty|ONNX/i);
  });

  it.skipIf(!hasAssets)('a truncated model', async () => {
    const whole = await readFile(assetPath('models/rf_model.onnx'));
    expect(await reasonOfRefusal(whole.subarray(0, whole.length >> 1))).toMatch(/ONNX|truncated|ends/i);
  });

  it('a model with weights in another file', async () => {
    expect(await reasonOfRefusal(externalDataModel())).toMatch(/external/i);
    expect(await reasonOfRefusal(externalDataModel('/etc/passwd'))).toMatch(/external/i);
  });

  it('a model with operators of an unknown domain', async () => {
    expect(await reasonOfRefusal(customDomainModel())).toMatch(/org\.example\.private|Telepathy/);
  });

  it('a model that asks for 4 TB', async () => {
    expect(await reasonOfRefusal(hugeAllocationModel())).toMatch(/memory|alloc|large|size/i);
    await expectBystanderUnharmed();
  });

  it('a model that never ends is stopped at its deadline', { timeout: 180_000 }, async () => {
    const pipeline = await deployModel(client, { modelBytes: endlessLoopModel(), isUnwatched: true });
    const name = `${pipeline.name}-${pipeline.deploymentId}`;
    await expectBystanderUnharmed();
    const status = await untilStatus(client, name, 'Error', 120_000);
    expect(JSON.stringify(status)).toMatch(/within \d+ s/i);
    await expectBystanderUnharmed();
    await undeploy(client, pipeline);
    expect((await deploymentStatus(client, name)).status).toBe(404);
  });
});
