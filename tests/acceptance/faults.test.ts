import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { forestModel, sumModel } from '@pademelon/testing/onnx';
import { Field, FixedSizeList, Float32, makeData, Table, tableToIPC, Vector } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiCommand, descendants, podCommand, processesOf } from '../../scripts/process-tree.ts';
import { type RunningPlatform, startPlatform } from './support/platform.ts';
import { logIn, type RestClient } from './support/rest-client.ts';
import {
  arrowType,
  createWorkspace,
  type DeployedPipeline,
  deployModel,
  inferRecords,
  uniqueName,
  uploadModel,
} from './support/rest-flow.ts';
import { until } from './support/until.ts';

let platform: RunningPlatform;
let client: RestClient;
beforeAll(async () => {
  platform = await startPlatform();
  client = await logIn(platform);
});
afterAll(() => platform?.dispose());

const pods = () => processesOf(platform.pid, podCommand).map(({ pid }) => pid);

async function isServing(pipeline: DeployedPipeline): Promise<boolean> {
  const answer = await inferRecords(client, pipeline.inferenceUrl, [{ tensor: [1, 2, 3] }]).catch(() => undefined);
  return answer?.status === 200;
}

describe('Kill -9 of a pod', () => {
  it('fails what was in flight within a second and serves again within three', async () => {
    const others = new Set(pods());
    const model = forestModel({ features: 3, trees: 300, depth: 6 });
    const pipeline = await deployModel(client, { modelBytes: model });
    const [pod] = pods().filter((pid) => !others.has(pid));
    const body = manyRows(400_000);
    const inFlight = client
      .send(pipeline.inferenceUrl, { body, headers: { 'content-type': arrowType, accept: arrowType } })
      .then((answer) => ({ status: answer.status, at: performance.now() }));
    await until(async () => isBusy(pod!), { withinMs: 10_000, everyMs: 10, what: 'the pod to work on the request' });
    const killedAt = performance.now();
    process.kill(pod!, 'SIGKILL');
    const failed = await inFlight;
    expect(failed.status, 'the pod had answered before it was killed').toBeGreaterThanOrEqual(500);
    expect(failed.at - killedAt).toBeLessThan(1000);
    await until(() => isServing(pipeline), { withinMs: 10_000, everyMs: 10, what: 'a new pod' });
    const backAfterMs = performance.now() - killedAt;
    process.stdout.write(`a killed pod was replaced after ${Math.round(backAfterMs)} ms\n`);
    expect(backAfterMs).toBeLessThan(3000);
    expect(pods()).not.toContain(pod);
  });

  /** Rows of 3 float32, enough to keep the pod busy for seconds. */
  function manyRows(count: number): Uint8Array {
    const values = new Vector([
      makeData({ type: new Float32(), data: Float32Array.from({ length: count * 3 }, (_, i) => i % 97) }),
    ]);
    const type = new FixedSizeList(3, new Field('item', new Float32(), false));
    const tensor = new Vector([makeData({ type, length: count, child: values.data[0]! })]);
    return tableToIPC(new Table({ tensor }), 'file');
  }

  /** Whether the process is on a processor now. */
  async function isBusy(pid: number): Promise<boolean> {
    const ticks = async () => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[11]);
    };
    const before = await ticks();
    await new Promise((done) => setTimeout(done, 200));
    return (await ticks()) - before >= 10;
  }
});

describe('Kill -9 of the API during a model upload', () => {
  it('leaves nothing half-visible, and the same upload succeeds afterwards', async () => {
    const workspaceId = await createWorkspace(client);
    const file = { name: uniqueName('interrupted'), fileName: 'sum.onnx', bytes: sumModel(5), workspaceId };
    const [api] = processesOf(platform.pid, apiCommand);
    await sendHalfAnUpload(file.name, workspaceId);
    process.kill(api!.pid, 'SIGKILL');
    let refusal = '';
    await until(
      () =>
        client.call('/v1/api/workspaces/list').catch((error: unknown) => {
          refusal = String(error);
          return false;
        }),
      { withinMs: 30_000, what: () => `the API to answer again; last it said: ${refusal}` },
    );
    expect(processesOf(platform.pid, apiCommand)[0]!.pid).not.toBe(api!.pid);
    expect(await client.call('/v1/api/models/list', { workspace_id: workspaceId })).toEqual({ models: [] });
    expect((await uploadModel(client, file)).sha).toMatch(/^[0-9a-f]{64}$/);
    const { models } = await client.call('/v1/api/models/list', { workspace_id: workspaceId });
    expect(models).toHaveLength(1);
  });

  /** Everything up to the middle of the file's bytes; the connection stays open. */
  async function sendHalfAnUpload(name: string, workspaceId: number): Promise<void> {
    const metadata = {
      name,
      visibility: 'private',
      workspace_id: workspaceId,
      conversion: { framework: 'onnx', requirements: [] },
    };
    const head = [
      '--half',
      'content-disposition: form-data; name="metadata"',
      'content-type: application/json',
      '',
      JSON.stringify(metadata),
      '--half',
      'content-disposition: form-data; name="file"; filename="sum.onnx"',
      'content-type: application/octet-stream',
      '',
      '',
    ].join('\r\n');
    const { hostname, port, host } = new URL(platform.url);
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    const request = [
      'POST /v1/api/models/upload HTTP/1.1',
      `host: ${host}`,
      `authorization: Bearer ${client.token}`,
      'content-type: multipart/form-data; boundary=half',
      'content-length: 4000000',
      '',
      head,
    ].join('\r\n');
    await new Promise<void>((done) =>
      socket.write(Buffer.concat([Buffer.from(request), Buffer.alloc(2_000_000)]), () => done()),
    );
  }
});

describe('A restart of everything', () => {
  it('deploys again what was deployed, under the same address and for the same token', async () => {
    const pipeline = await deployModel(client, { modelBytes: sumModel(3), replicas: 2 });
    const processes = descendants(platform.pid).map(({ pid }) => pid);
    await platform.stop();
    for (const pid of processes) expect(() => process.kill(pid, 0), `process ${pid} is left`).toThrow();
    platform = await startPlatform({ home: platform.home, port: Number(new URL(platform.url).port) });
    process.stdout.write(`npm start to ready: ${(platform.startMs / 1000).toFixed(2)} s (second start)\n`);
    await until(() => isServing(pipeline), { withinMs: 15_000, everyMs: 20, what: 'the deployment to serve again' });
    await until(async () => pods().length >= 2, { withinMs: 15_000, what: 'both replicas' });
  });
});
