import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { insertTestModel, type TestModel } from '../../test-model.ts';

let api: TestApi;
let workspaceId: number;
let model: TestModel;

beforeAll(async () => {
  api = await createTestApi();
  workspaceId = (await ok('workspaces/create', { workspace_name: 'lab' })).workspace_id;
  model = await insertTestModel(api.database, { workspaceId, name: 'house' });
});

afterAll(() => api.close());

const call = (verb: string, body: object, user = 'ada') => api.post(user, `/v1/api/${verb}`, body);

async function ok(verb: string, body: object, user = 'ada') {
  const response = await call(verb, body, user);
  expect(response.statusCode, response.body).toBe(200);
  return response.json();
}

const chain = (...models: TestModel[]) => ({
  steps: models.map(({ reference }) => ({ ModelInference: { models: [reference] } })),
});

const addVersion = (name: string, definition: object = chain(model)) =>
  ok('pipelines/create', { pipeline_id: name, workspace_id: workspaceId, definition });

async function deploy(name: string, extra: object = {}) {
  const { pipeline_variant_pk_id } = await addVersion(name);
  return ok('pipelines/deploy', { deploy_id: name, pipeline_version_pk_id: pipeline_variant_pk_id, ...extra });
}

/** What an inference host would write. */
async function reportPod(
  deploymentId: number,
  pod: { state: string; revision?: number; replica?: number; reason?: string },
) {
  await api.database.pool.query(
    `INSERT INTO inference_hosts (id, address) VALUES ('h', '10.0.0.1') ON CONFLICT (id) DO UPDATE SET last_seen_at = now()`,
  );
  await api.database.pool.query(
    `INSERT INTO pods (id, deployment_id, revision, replica, host_id, address, state, reason)
     VALUES (gen_random_uuid(), $1, $2, $3, 'h', '10.0.0.1', $4, $5)
     ON CONFLICT (deployment_id, revision, replica) DO UPDATE SET state = $4, reason = $5`,
    [deploymentId, pod.revision ?? 1, pod.replica ?? 0, pod.state, pod.reason ?? null],
  );
}

test('the same name adds a version to the same pipeline, and steps are never missing from a definition', async () => {
  const first = await addVersion('twice', {});
  const second = await addVersion('twice');
  expect(second.pipeline_pk_id).toBe(first.pipeline_pk_id);
  expect(second.pipeline_variant_pk_id).toBeGreaterThan(first.pipeline_variant_pk_id);
  expect(await ok('pipelines/get_version', { version: first.pipeline_variant_version })).toEqual({
    pipeline_id: 'twice',
    version: first.pipeline_variant_version,
    definition: { id: 'twice', steps: [] },
  });
});

test('callers who add versions to one new name at once all add to one pipeline', async () => {
  const added = await Promise.all(Array.from({ length: 8 }, () => addVersion('raced')));
  expect(new Set(added.map((each) => each.pipeline_pk_id)).size).toBe(1);
  expect(new Set(added.map((each) => each.pipeline_variant_pk_id)).size).toBe(8);
});

test.each(['', 'Upper', '-a', 'a-', '1st', 'a_b', '../x', 'ä', 'a'.repeat(64), '{{7*7}}', '__proto__', 'a\u0000b'])(
  'the name %j is refused with a sentence',
  async (name) => {
    const response = await call('pipelines/create', { pipeline_id: name, workspace_id: workspaceId });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({
      code: 400,
      error: 'invalid_input',
      msg: expect.stringContaining('pipeline'),
    });
  },
);

test.each([
  [{ steps: 'x' }, 'must be a list'],
  [{ steps: [{ Foo: {} }] }, 'Step 1 is of the unknown kind "Foo"'],
  [{ steps: [{ constructor: {} }] }, 'unknown kind'],
  [{ steps: [{ ModelInference: { models: [{ name: 'a' }] } }] }, 'models[0] must name a model'],
  [{ note: 'a\u0000b' }, 'cannot be stored'],
  [{ note: '\ud800' }, 'cannot be stored'],
  [{ steps: [{ AuditResults: { from: 1, to: null } }] }, 'Step 1 (AuditResults) needs the result of a model step'],
])('the definition %j is refused', async (definition, sentence) => {
  const response = await call('pipelines/create', { pipeline_id: 'bad', workspace_id: workspaceId, definition });
  expect(response.statusCode).toBe(400);
  expect(response.json().msg).toContain(sentence);
});

test('a definition nested 100,000 deep is refused, and the server lives', async () => {
  const payload = `{"pipeline_id":"deep","workspace_id":${workspaceId},"definition":{"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`;
  const response = await api.send('ada', {
    method: 'POST',
    url: '/v1/api/pipelines/create',
    headers: { 'content-type': 'application/json' },
    payload,
  });
  expect(response.statusCode).toBe(400);
});

test('pipelines are listed and found by name, newest first, with their log topic', async () => {
  await addVersion('listed-a');
  await deploy('listed-b', { engine_config: { engine: { replicas: 2 } } });
  const { pipelines } = await ok('pipelines/list_pipelines', { workspace_id: workspaceId, workspace_name: null });
  const named = pipelines.filter((each: { pipeline: { name: string } }) => each.pipeline.name.startsWith('listed'));
  expect(named).toMatchObject([
    { pipeline: { name: 'listed-b' }, deployment: { maximum_replicas: 2 } },
    { pipeline: { name: 'listed-a' }, deployment: null },
  ]);
  expect(
    await ok('pipelines/get_pipeline_by_name', { pipeline_name: 'listed-a', workspace_id: workspaceId }),
  ).toMatchObject({
    plateau_topic: `workspace-${workspaceId}-pipeline-listed-a-inference`,
    workspace: { id: workspaceId, name: 'lab', archived: false },
  });
  expect(
    (await call('pipelines/get_pipeline_by_name', { pipeline_name: 'none', workspace_id: workspaceId })).statusCode,
  ).toBe(404);
});

test('a copy is a new pipeline with the newest definition of the source', async () => {
  const source = await addVersion('source');
  const body = { name: 'the-copy', workspace_id: workspaceId, source_pipeline: source.pipeline_pk_id };
  const copy = await ok('pipelines/copy', body);
  expect(copy.pipeline_pk_id).not.toBe(source.pipeline_pk_id);
  const { definition } = await ok('pipelines/get_version', { version: copy.pipeline_version });
  expect(definition).toEqual({ id: 'the-copy', ...chain(model) });
  expect((await call('pipelines/copy', body)).json()).toMatchObject({ error: 'conflict' });
});

test('a redeploy keeps the id, raises the revision and uses the newest configuration of each model', async () => {
  const { id } = await deploy('redeployed', { engine_config: { engine: { replicas: 1 } } });
  const { rows } = await api.database.pool.query(
    `INSERT INTO model_configs (model_version_id, runtime) VALUES ($1, 'onnx') RETURNING id`,
    [model.versionId],
  );
  expect((await deploy('redeployed')).id).toBe(id);
  const { rows: state } = await api.database.pool.query(
    `SELECT revision, is_deployed, array_agg(model_config_id) AS configs FROM deployments d
     JOIN deployment_model_configs c ON c.deployment_id = d.id WHERE d.id = $1 GROUP BY 1, 2`,
    [id],
  );
  expect(state).toEqual([{ revision: 2, is_deployed: true, configs: [rows[0].id] }]);
});

test('deploying tells the hosts', async () => {
  const listener = await api.database.pool.connect();
  try {
    const told = new Promise((resolve) => listener.on('notification', resolve));
    await listener.query('LISTEN pademelon_deployments');
    await deploy('told');
    await told;
  } finally {
    listener.release(true);
  }
});

test('a version without steps is deployed with the models that the call names', async () => {
  const { pipeline_pk_id, pipeline_variant_pk_id } = await addVersion('by-models', {});
  const body = { deploy_id: 'by-models', pipeline_version_pk_id: pipeline_variant_pk_id, pipeline_id: pipeline_pk_id };
  expect((await call('pipelines/deploy', body)).json().msg).toContain('no steps');
  expect((await call('pipelines/deploy', { ...body, model_ids: [model.versionId, 2 ** 40] })).statusCode).toBe(404);
  await ok('pipelines/deploy', { ...body, model_ids: [model.versionId] });
  await ok('pipelines/deploy', { ...body, models: [model.reference] });
});

test('what cannot be served is refused at deploy with a reason, which the 2023 SDK shows only with 500', async () => {
  const other = (await ok('workspaces/create', { workspace_name: 'other' })).workspace_id;
  const elsewhere = await insertTestModel(api.database, { workspaceId: other, name: 'elsewhere' });
  const broken = await insertTestModel(api.database, { workspaceId, name: 'broken', status: 'error' });
  const cases: [object, string][] = [
    [chain(elsewhere), "The pipeline's workspace has no model"],
    [chain({ ...model, reference: { ...model.reference, sha: 'f'.repeat(64) } }), 'has no model'],
    [chain(broken), 'it could not be packaged'],
  ];
  for (const [definition, sentence] of cases) {
    const { pipeline_variant_pk_id } = await addVersion('refused', definition);
    const payload = { deploy_id: 'refused', pipeline_version_pk_id: pipeline_variant_pk_id };
    const response = await call('pipelines/deploy', payload);
    expect(response.json().msg).toContain(sentence);
    expect(response.statusCode).toBeLessThan(500);
    const headers = { 'user-agent': 'python-httpx/0.23.3' };
    const old = await api.send('ada', { method: 'POST', url: '/v1/api/pipelines/deploy', headers, payload });
    expect(old.statusCode).toBe(500);
    expect(old.json()).toMatchObject({ code: 500, msg: response.json().msg });
  }
  const { pipeline_variant_pk_id } = await addVersion('refused');
  const body = { deploy_id: 'refused', pipeline_version_pk_id: pipeline_variant_pk_id };
  expect((await call('pipelines/deploy', { ...body, model_configs: [elsewhere.configId] })).statusCode).toBe(400);
  expect((await call('pipelines/deploy', { ...body, engine_config: { engine: { replicas: 65 } } })).statusCode).toBe(
    400,
  );
  expect((await call('pipelines/deploy', { deploy_id: 'refused' })).statusCode).toBe(400);
});

test('status follows the pods from Starting to Running, and after undeploy to 404 once they are gone', async () => {
  const { id } = await deploy('watched', { engine_config: { engine: { replicas: 2 } } });
  const name = `watched-${id}`;
  const status = () => ok('status/get_deployment', { name });
  expect(await status()).toMatchObject({ status: 'Starting', engines: [], sidekicks: [] });
  await reportPod(id, { state: 'ready' });
  expect((await status()).status).toBe('Starting');
  await reportPod(id, { state: 'ready', replica: 1 });
  expect(await status()).toMatchObject({
    status: 'Running',
    details: [],
    engines: [
      {
        ip: '10.0.0.1',
        status: 'Running',
        reason: null,
        pipeline_statuses: { pipelines: [{ id: 'watched', status: 'Running', version: expect.any(String) }] },
        model_statuses: { models: [{ ...model.reference, status: 'Running', model_version_id: model.versionId }] },
      },
      {},
    ],
    engine_lbs: [{ status: 'Running', name: `engine-lb-${name}` }],
  });

  expect(await ok('pipelines/undeploy', { deployment_id: id })).toEqual({});
  expect((await status()).status).toBe('Stopping');
  await api.database.pool.query('DELETE FROM pods WHERE deployment_id = $1', [id]);
  expect((await call('status/get_deployment', { name })).statusCode).toBe(404);
  expect((await call('status/get_deployment', { name: `other-${id}` })).statusCode).toBe(404);
  await ok('pipelines/undeploy', { deployment_id: id });
});

test('a failed deploy is an Error with its reason, unless the version before keeps serving', async () => {
  const { id } = await deploy('failing');
  await reportPod(id, { state: 'error', reason: 'The model does not load.' });
  const status = () => ok('status/get_deployment', { name: `failing-${id}` });
  expect(await status()).toMatchObject({ status: 'Error', details: ['The model does not load.'] });
  await reportPod(id, { state: 'ready' });
  await deploy('failing');
  expect((await status()).status).toBe('Starting');
  await reportPod(id, { state: 'error', revision: 2, reason: 'Broken.' });
  expect(await status()).toMatchObject({
    status: 'Starting',
    details: ['Broken.', 'The version that was deployed before keeps serving.'],
    engines: [{ status: 'Running' }, { status: 'Error', reason: 'Broken.' }],
  });
});

test('a deployment without a live host says so', async () => {
  const { id } = await deploy('hostless');
  await reportPod(id, { state: 'ready' });
  await api.database.pool.query("UPDATE inference_hosts SET last_seen_at = now() - interval '11 seconds'");
  const status = await ok('status/get_deployment', { name: `hostless-${id}` });
  expect(status).toMatchObject({
    status: 'Starting',
    engines: [],
    details: [expect.stringContaining('No inference host')],
  });
});

test('a pipeline has a URL from its first deployment on, and undeploying one never deployed does nothing', async () => {
  const { pipeline_pk_id } = await addVersion('addressed');
  const body = { workspace_id: workspaceId, pipeline_name: 'addressed' };
  const before = await call('admin/get_pipeline_external_url', body);
  expect(before.statusCode).toBe(400);
  expect(before.json().msg).toContain('no URL before');
  expect(await ok('pipelines/undeploy', { pipeline_id: pipeline_pk_id })).toEqual({});
  const { id } = await deploy('addressed');
  const url = `http://localhost:8080/v1/api/pipelines/infer/addressed-${id}/addressed`;
  expect(await ok('admin/get_pipeline_external_url', body)).toEqual({ url });
  expect(await ok('admin/get_pipeline_internal_url', body)).toEqual({ url });
});

test.each([0, -1, 2 ** 63, 1e3, [1], 1.5, '1'])('the id %j is answered with 4xx', async (id) => {
  for (const [verb, body] of [
    ['pipelines/undeploy', { deployment_id: id }],
    ['pipelines/undeploy', { pipeline_id: id }],
    ['pipelines/deploy', { deploy_id: 'x', pipeline_version_pk_id: id }],
    ['pipelines/create', { pipeline_id: 'x', workspace_id: id }],
    ['pipelines/copy', { name: 'x', workspace_id: id, source_pipeline: id }],
    ['pipelines/get_pipeline_by_name', { pipeline_name: 'x\u0000', workspace_id: id }],
    ['status/get_deployment', { name: `x-${JSON.stringify(id)}` }],
  ] as const) {
    const response = await call(verb, body);
    expect(response.statusCode, `${verb} ${response.body}`).toBeGreaterThanOrEqual(400);
    expect(response.statusCode, `${verb} ${response.body}`).toBeLessThan(500);
  }
});
