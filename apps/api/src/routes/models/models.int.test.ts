import { identityModel, multipleInputsModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';

let api: TestApi;
let workspaceId: number;
let first: number;
let second: number;

beforeAll(async () => {
  api = await createTestApi();
  workspaceId = await createWorkspace('lab');
  first = await upload('house', identityModel());
  second = await upload('house', multipleInputsModel());
});
afterAll(() => api.close());

async function createWorkspace(name: string): Promise<number> {
  return (await api.post('ada', '/v1/api/workspaces/create', { workspace_name: name })).json().workspace_id;
}

async function upload(name: string, payload: Buffer, workspace_id = workspaceId): Promise<number> {
  const url = `/v1/api/models/upload_stream?filename=${name}.onnx&name=${name}&workspace_id=${workspace_id}`;
  const reply = await api.send('ada', { method: 'POST', url, payload });
  return reply.json().insert_models.returning[0].models[0].id;
}

async function call(verb: string, body: object) {
  const reply = await api.post('ada', `/v1/api/models/${verb}`, body);
  expect(reply.statusCode, reply.body).toBe(200);
  return reply.json();
}

test('a list has the keys of both SDK generations, the model that changed last and the newest version first', async () => {
  const other = await upload('zebra', identityModel());
  const { models } = await call('list', { workspace_id: workspaceId });
  expect(models.map((item: { name: string }) => item.name)).toEqual(['zebra', 'house']);
  expect(models[0].model_versions[0].model_version.id).toBe(other);
  const [, house] = models;
  expect(house).toMatchObject({
    owner_id: 'ada',
    workspace_id: workspaceId,
    model: { id: house.id, name: 'house', owner_id: 'ada', workspace_id: workspaceId },
    workspace: { id: workspaceId, name: 'lab', archived: false, created_by: 'ada' },
  });
  expect(
    house.model_versions.map((item: { config: { model_version_id: number } }) => item.config.model_version_id),
  ).toEqual([second, first]);
  expect(new Date(house.updated_at).getTime()).toBeGreaterThanOrEqual(new Date(house.created_at).getTime());
});

test('a list without a workspace has the models of all of them, one with a name those of that one', async () => {
  const elsewhere = await createWorkspace('annex');
  await upload('annexed', identityModel(), elsewhere);
  const names = async (body: object) =>
    (await call('list', body)).models.map((item: { name: string }) => item.name).sort();
  expect(await names({ workspace_id: null, workspace_name: null })).toEqual(['annexed', 'house', 'zebra']);
  expect(await names({ workspace_id: null, workspace_name: 'annex' })).toEqual(['annexed']);
  const unknown = await api.post('ada', '/v1/api/models/list', { workspace_id: null, workspace_name: 'attic' });
  expect(unknown.json()).toMatchObject({ code: 404, error: 'not_found' });
});

test('a model is read with its versions newest first, listed oldest first', async () => {
  const { models } = await call('list', { workspace_id: workspaceId });
  const { id } = models.find((item: { name: string }) => item.name === 'house');
  const model = await call('get', { id });
  expect(model).toMatchObject({ id, name: 'house', owner_id: 'ada', workspace: { id: workspaceId, name: 'lab' } });
  expect(model.models.map((version: { id: number }) => version.id)).toEqual([second, first]);
  expect(model.models[0]).toMatchObject({
    models_pk_id: id,
    model_id: 'house',
    file_name: 'house.onnx',
    image_path: null,
  });
  const versions = await call('list_versions', { model_id: 'house', models_pk_id: id });
  expect(versions.map((version: { id: number }) => version.id)).toEqual([first, second]);
  expect(await call('get_by_id', { id })).toMatchObject({
    id,
    name: 'house',
    workspace_id: workspaceId,
    model_config: null,
  });
});

test('a model that is not there is told as the older platform told it', async () => {
  const reply = await api.post('ada', '/v1/api/models/get_by_id', { id: 999_999 });
  expect(reply.json()).toMatchObject({ code: 400, error: 'not_found' });
  expect(reply.statusCode).toBe(400);
});

test('each configure call adds a configuration, and the newest counts', async () => {
  const before = (await call('get_config_by_id', { model_id: first })).model_config;
  expect(before).toMatchObject({ model_version_id: first, runtime: 'onnx', tensor_fields: null, openai: null });
  const { model_config } = await call('insert_model_config', {
    model_version_id: first,
    tensor_fields: ['tensor'],
    filter_threshold: 0.5,
    batch_config: 'batch',
    dynamic_batching_config: { max_batch_delay_ms: 10, batch_size_target: 4, batch_size_limit: 16 },
    continuous_batching_config: { max_concurrent_batch_size: 8 },
    openai_config: { enabled: true, completion_config: { temperature: 0.1 } },
  });
  expect(model_config.id).toBeGreaterThan(before.id);
  expect(model_config).toMatchObject({
    tensor_fields: ['tensor'],
    filter_threshold: 0.5,
    batch_config: 'batch',
    dynamic_batching_config: { max_batch_delay_ms: 10, batch_size_target: 4, batch_size_limit: 16 },
    continuous_batching_config: { max_concurrent_batch_size: 8 },
    openai: { enabled: true, completion_config: { temperature: 0.1 } },
  });
  expect((await call('get_config_by_id', { model_id: first })).model_config).toEqual(model_config);
  const { model_version } = await call('get_version_by_id', { model_version_id: first });
  expect(model_version.config).toEqual(model_config);
  const bare = (await call('insert_model_config', { model_version_id: first })).model_config;
  expect(bare).toMatchObject({ tensor_fields: null, dynamic_batching_config: null, batch_config: null });
});

test.each([
  ['batch_config', { batch_config: 'half' }],
  ['tensor_fields', { tensor_fields: 'tensor' }],
  ['tensor_fields', { tensor_fields: [7] }],
  ['dynamic_batching_config', { dynamic_batching_config: { max_batch_delay_ms: -1, batch_size_target: 1 } }],
  ['filter_threshold', { filter_threshold: 'high' }],
  ['cannot be stored', { tensor_fields: ['a\u0000'] }],
  ['nested deeper', { openai_config: JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) }],
])('a configuration is refused for its %s', async (what, settings) => {
  const reply = await api.post('ada', '/v1/api/models/insert_model_config', { model_version_id: first, ...settings });
  expect(reply.json()).toMatchObject({ code: 400, error: 'invalid_input', msg: expect.stringContaining(what) });
});

test.each([0, -1, 2 ** 63, 1.5, '1', null, [1]])(
  'an id that is no id is never an error of the server: %j',
  async (id) => {
    for (const [verb, key] of [
      ['get', 'id'],
      ['get_by_id', 'id'],
      ['get_version_by_id', 'model_version_id'],
      ['get_config_by_id', 'model_id'],
      ['get_upload_logs', 'model_version_id'],
      ['insert_model_config', 'model_version_id'],
      ['list_versions', 'models_pk_id'],
      ['list', 'workspace_id'],
    ] as const) {
      if (verb === 'list' && id === null) continue;
      const reply = await api.post('ada', `/v1/api/models/${verb}`, { [key]: id });
      expect([400, 404], `${verb}: ${reply.body}`).toContain(reply.statusCode);
    }
  },
);

test('the upload log says what was read from the file, in lines that the SDK can take apart', async () => {
  const { logs } = await call('get_upload_logs', { model_version_id: second, lines: null });
  expect(logs).toContainEqual(expect.stringMatching(/ stdout F input "mask": bool \[N, 1\]$/));
  for (const line of logs) expect(Number.isNaN(Date.parse(line.split(' ')[0]))).toBe(false);
  expect((await call('get_upload_logs', { model_version_id: second, lines: 1 })).logs).toEqual(logs.slice(-1));
  expect((await call('get_upload_logs', { model_version_id: second, lines: 0 })).logs).toEqual([]);
});

test('a version is told to be deployed while a wanted deployment uses it', async () => {
  const deployed = async () =>
    (await call('get_version_by_id', { model_version_id: second })).model_version.model_version.deployed;
  expect(await deployed()).toBe(false);
  await api.database.pool.query(`
    WITH p AS (INSERT INTO pipelines (workspace_id, name, owner_id) VALUES (${workspaceId}, 'p', 'ada') RETURNING id),
    v AS (INSERT INTO pipeline_versions (pipeline_id, version, definition, created_by_id)
          SELECT id, gen_random_uuid(), '{}', 'ada' FROM p RETURNING id, pipeline_id),
    d AS (INSERT INTO deployments (pipeline_id, deploy_id, is_deployed, pipeline_version_id)
          SELECT pipeline_id, 'p', true, id FROM v RETURNING id)
    INSERT INTO deployment_model_configs (deployment_id, model_config_id)
    SELECT d.id, c.id FROM d, model_configs c WHERE c.model_version_id = ${second}`);
  expect(await deployed()).toBe(true);
  await api.database.pool.query('UPDATE deployments SET is_deployed = false');
  expect(await deployed()).toBe(false);
});

test('what clients must know before they log in is public, the rest is not', async () => {
  const config = await api.app.inject({ method: 'GET', url: '/v1/api/config' });
  expect(config.json()).toMatchObject({
    default_arch: process.arch === 'arm64' ? 'arm' : 'x86',
    is_auth_enabled: true,
  });
  expect((await api.app.inject({ method: 'POST', url: '/v1/api/features/list', payload: {} })).statusCode).toBe(401);
  const features = await api.post('ada', '/v1/api/features/list', {});
  expect(features.json()).toMatchObject({ is_auth_enabled: true, features: { plateau: 'true' } });
});
