import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { identityModel, int64Model, multipleInputsModel, sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensurePythonEnvironment, PythonMissing, pythonProcessEnvironment } from '../../scripts/python-environment.ts';
import { tritonClientEnvironment } from '../../scripts/python-environments.ts';
import { logIn, type RestAnswer, type RestClient } from './support/rest-client.ts';
import { createWorkspace, type DeployedPipeline, deployModel, undeploy } from './support/rest-flow.ts';
import { until } from './support/until.ts';

const platform = inject('platform');
const script = resolve(import.meta.dirname, 'clients/triton.py');
const models = {
  sum: { modelBytes: sumModel(3), tensorFields: ['house'] },
  several: { modelBytes: multipleInputsModel() },
  texts: { modelBytes: identityModel('string', ['N', 2]) },
  FP64: { modelBytes: identityModel('float64', ['N', 2]) },
  INT32: { modelBytes: identityModel('int32', ['N', 2]) },
  UINT8: { modelBytes: identityModel('uint8', ['N', 2]) },
  BOOL: { modelBytes: identityModel('bool', ['N', 2]) },
  INT64: { modelBytes: int64Model() },
} as const;
type ModelName = keyof typeof models;

let client: RestClient;
const deployed = new Map<ModelName, DeployedPipeline>();

beforeAll(async () => {
  client = await logIn(platform);
  const workspaceId = await createWorkspace(client);
  for (const name of Object.keys(models) as ModelName[]) {
    deployed.set(name, await deployModel(client, { ...models[name], workspaceId }));
  }
});
afterAll(async () => {
  for (const pipeline of deployed.values()) await undeploy(client, pipeline);
});

describe('tritonclient from the package index', () => {
  const checks = [...readFileSync(script, 'utf8').matchAll(/^def check_\w+\(\):\n {4}"""(.+?)"""/gm)].map(
    ([, name]) => name!,
  );
  const failures = new Map<string, string | null>();
  let missing: string | undefined;

  beforeAll(async () => {
    const python = await ensurePythonEnvironment(tritonClientEnvironment).catch((error: unknown) => {
      if (!(error instanceof PythonMissing) || process.env['CI']) throw error;
      missing = error.message;
    });
    if (python === undefined) return;
    const names = Object.fromEntries([...deployed].map(([name, pipeline]) => [name, pipeline.name]));
    const env = { ADDRESS: new URL(platform.url).host, TOKEN: client.token, MODELS: JSON.stringify(names) };
    const { stdout } = await promisify(execFile)(python, [script], { env: pythonProcessEnvironment(env) });
    for (const line of stdout.trim().split('\n')) {
      const { name, failure } = JSON.parse(line);
      failures.set(name, failure);
    }
  });

  it('has checks', () => expect(checks.length).toBeGreaterThan(10));

  it.for(checks)('%s', (check, { skip }) => {
    if (missing !== undefined) return skip(missing);
    expect(failures.get(check)).toBeNull();
  });
});

describe('clients that send plain JSON, as those of KServe and MLServer do', () => {
  const send = (path: string, body?: object): Promise<RestAnswer> =>
    client.send(`/v2/models/${deployed.get('sum')!.name}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  const rows = [
    [1, 2, 3],
    [4, 5, 6.5],
  ];
  const request = { id: '42', inputs: [{ name: 'house', shape: [2, 3], datatype: 'FP32', data: rows }] };

  it('read health and metadata and infer', async () => {
    for (const path of ['/v2/health/live', '/v2/health/ready', '/v2']) {
      expect((await client.send(path, { method: 'GET' })).status).toBe(200);
    }
    expect(JSON.parse((await send('')).text)).toMatchObject({ inputs: [{ name: 'house', shape: [-1, 3] }] });
    expect((await send('/ready')).status).toBe(200);
    const answer = await send('/infer', request);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(answer.text)).toMatchObject({
      model_name: deployed.get('sum')!.name,
      id: '42',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1], data: [6, 15.5] }],
    });
  });

  it('find their inferences in the log', async () => {
    const pipeline = deployed.get('sum')!;
    const marked = { inputs: [{ name: 'house', shape: [1, 3], datatype: 'FP32', data: [0.5, 0.25, 4096] }] };
    expect((await send('/infer', marked)).status).toBe(200);
    const record = await until(
      async () => {
        const body = { pipeline_name: pipeline.name, workspace_id: pipeline.workspaceId };
        const records: { in: { house: number[] }; out: { y: number[] } }[] = await client.call(
          '/v1/api/pipelines/get_logs',
          body,
        );
        return records.find((each) => each.in.house[2] === 4096);
      },
      { withinMs: 5_000, what: 'the inference in the log' },
    );
    expect(record).toMatchObject({ in: { house: [0.5, 0.25, 4096] }, out: { y: [4096.75] } });
  });

  it('are told what is wrong in the protocol’s shape', async () => {
    for (const [body, status] of [
      [{ inputs: [] }, 400],
      [{ inputs: [{ ...request.inputs[0], datatype: 'FP64' }] }, 400],
      [{ inputs: [{ ...request.inputs[0], shape: [1, 3] }] }, 400],
    ] as const) {
      const answer = await send('/infer', body);
      expect(answer.status, answer.text).toBe(status);
      expect(JSON.parse(answer.text)).toEqual({ error: expect.any(String) });
    }
    const encoded = await client.send(`/v2/models/${deployed.get('sum')!.name}/infer`, {
      body: JSON.stringify(request),
      headers: { 'content-encoding': 'br' },
    });
    expect([encoded.status, JSON.parse(encoded.text)]).toEqual([415, { error: expect.stringContaining('"br"') }]);
  });
});
