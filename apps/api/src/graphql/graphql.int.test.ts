import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../test-api.ts';
import { insertTestModel, type TestModel } from '../test-model.ts';
import { sdkDocuments } from './test-sdk-documents.ts';

type Operation = keyof typeof sdkDocuments;

let api: TestApi;
let workspaceId: number;
let model: TestModel;

beforeAll(async () => {
  api = await createTestApi();
  const created = await api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'lab' });
  workspaceId = created.json().workspace_id;
  model = await insertTestModel(api.database, { workspaceId, name: 'house' });
});

afterAll(() => api.close());

const post = (query: string, variables: object = {}, user = 'ada') =>
  api.post(user, '/v1/graphql', { query, variables });

async function run(operation: Operation, variables: object = {}, user = 'ada') {
  const response = await post(sdkDocuments[operation], variables, user);
  expect(response.json().errors, response.body).toBeUndefined();
  return response.json().data;
}

async function addVersion(name: string) {
  const definition = { steps: [{ ModelInference: { models: [model.reference] } }] };
  const body = { pipeline_id: name, workspace_id: workspaceId, definition };
  return (await api.post('ada', '/v1/api/pipelines/create', body)).json();
}

async function deploy(name: string) {
  const version = await addVersion(name);
  const body = {
    deploy_id: name,
    pipeline_version_pk_id: version.pipeline_variant_pk_id,
    engine_config: { engine: { cpu: 1 } },
  };
  return { ...version, deploymentId: (await api.post('ada', '/v1/api/pipelines/deploy', body)).json().id };
}

test('the default workspace is made once, whether the SDK names the user, sends nothing, or makes it itself', async () => {
  const [first] = (await run('UserDefaultWorkspace', { user_id: null }, 'bob')).user_default_workspace;
  expect(first.workspace).toMatchObject({ name: 'bob@example.org - Default Workspace', users: [{ user_id: 'bob' }] });
  for (const variables of [{}, { user_id: '' }, { user_id: 'bob' }]) {
    expect((await run('UserDefaultWorkspace', variables, 'bob')).user_default_workspace).toEqual([first]);
  }
  const variables = { user_id: 'bob', workspace_name: first.workspace.name, user_type: 'OWNER' };
  for (const operation of ['CreateDefaultUserWorkspace 2023', 'CreateDefaultUserWorkspace 2026'] as const) {
    expect((await run(operation, variables, 'bob')).insert_workspace_one).toEqual({ id: first.workspace.id });
  }
});

test("a default workspace is neither another user's nor kept from its user by a taken name", async () => {
  expect((await run('UserDefaultWorkspace', { user_id: 'bob' })).user_default_workspace).toEqual([]);
  const name = 'root@example.org - Default Workspace';
  const squatted = (await api.post('ada', '/v1/api/workspaces/create', { workspace_name: name })).json().workspace_id;
  const variables = { user_id: 'root', workspace_name: name, user_type: 'OWNER' };
  const forbidden = await post(sdkDocuments['CreateDefaultUserWorkspace 2023'], variables);
  expect(forbidden.json().errors).toMatchObject([{ extensions: { code: 'forbidden' } }]);
  const own = await run('CreateDefaultUserWorkspace 2023', variables, 'root');
  expect(own.insert_workspace_one.id).not.toBe(squatted);
});

test('whoever is removed from their default workspace gets a new one', async () => {
  const [{ workspace }] = (await run('UserDefaultWorkspace')).user_default_workspace;
  await api.services.workspaces.addMember(adaCaller, workspace.id, 'root', 'OWNER');
  expect(await run('DeleteWorkspaceUser', { user_id: 'ada', workspace_id: workspace.id })).toEqual({
    delete_workspace_users: { affected_rows: 1 },
  });
  const [other] = (await run('UserDefaultWorkspace')).user_default_workspace;
  expect(other.workspace.id).not.toBe(workspace.id);
  expect((await run('WorkspaceById 2026', { id: workspace.id })).workspace_by_pk).toBeNull();
});

const adaCaller = { userId: 'ada', email: 'ada@example.org', isAdmin: false };

test('a workspace shows its model families with their versions and its pipelines', async () => {
  const { pipeline_pk_id } = await addVersion('shown');
  const { workspace_by_pk } = await run('WorkspaceById 2023', { id: workspaceId });
  expect(workspace_by_pk).toMatchObject({ id: workspaceId, name: 'lab', archived: false, created_by: 'ada' });
  expect(workspace_by_pk.models).toEqual([{ id: model.modelId, models: [{ id: model.versionId }] }]);
  expect(workspace_by_pk.pipelines).toContainEqual({ id: pipeline_pk_id });
});

test('a pipeline lists its versions newest first, and a version tells its definition, deployments and configurations', async () => {
  const first = await addVersion('versions');
  const second = await deploy('versions');
  const { pipeline_by_pk } = await run('PipelineById 2026', { pipeline_id: first.pipeline_pk_id });
  expect(pipeline_by_pk).toMatchObject({
    pipeline_id: 'versions',
    visibility: 'private',
    owner_id: 'ada',
    workspace: { id: workspaceId, name: 'lab' },
    pipeline_versions: [
      { id: second.pipeline_variant_pk_id, pipeline_publishes: [] },
      { id: first.pipeline_variant_pk_id, pipeline_publishes: [] },
    ],
  });
  const variables = { variant_id: second.pipeline_variant_pk_id };
  expect((await run('PipelineVariantById 2026', variables)).pipeline_version_by_pk).toMatchObject({
    version: second.pipeline_variant_version,
    definition: { id: 'versions', steps: [{ ModelInference: { models: [model.reference] } }] },
    pipeline: { id: first.pipeline_pk_id },
    deployment_pipeline_versions: [{ deployment: { id: second.deploymentId } }],
    deployment_model_configs: [
      { model_config: { model: { id: model.versionId, model: { id: model.modelId, name: 'house' } } } },
    ],
  });
});

test('pipelines are found by name, workspace, text, tag, deployment and time', async () => {
  const old = await addVersion('findable-old');
  const { pipeline_variant_pk_id: deployed } = await deploy('findable-new');
  const named = { pipeline_name: 'findable-old', workspace_id: workspaceId, workspace_name: 'lab' };
  expect((await run('PipelineByName 2026', named)).pipeline).toEqual([
    { id: old.pipeline_pk_id, workspace: { id: workspaceId, name: 'lab' } },
  ]);
  expect((await run('PipelineByName 2026', { ...named, workspace_name: 'other' })).pipeline).toEqual([]);
  const search = async (search_term: string, isDeployed: boolean) =>
    (
      await run('GetPipelines 2026', { search_term, workspace_id: workspaceId, deployed: isDeployed })
    ).search_pipelines.map((version: { id: number }) => version.id);
  expect(await search('FINDABLE', false)).toEqual([old.pipeline_variant_pk_id]);
  expect(await search('findable', true)).toEqual([deployed]);
  expect(await search(old.pipeline_variant_version, false)).toEqual([old.pipeline_variant_pk_id]);
  expect(await search('%', false)).toEqual([]);
  const times = {
    start_created_at: '2020-01-01T00:00:00',
    start_updated_at: '2020-01-01',
    end_updated_at: '2999-01-01T00:00:00Z',
  };
  const inTime = (end_created_at: string) =>
    run('GetPipelines 2023', { search_term: 'findable-n', deployed: true, ...times, end_created_at });
  expect((await inTime('2999-01-01T00:00:00+01:00')).search_pipelines).toMatchObject([{ id: deployed }]);
  expect((await inTime('2021-01-01T00:00:00Z')).search_pipelines).toEqual([]);
});

test('a deployment is told with its configuration as an object, and redeployed and undeployed by mutation', async () => {
  const { deploymentId, pipeline_pk_id, pipeline_variant_pk_id } = await deploy('acted-on');
  expect((await run('DeploymentById', { deployment_id: deploymentId })).deployment_by_pk).toMatchObject({
    deploy_id: 'acted-on',
    deployed: true,
    engine_config: { engine: { cpu: 1 } },
    deployment_model_configs: [{ model_config: { id: expect.any(Number) } }],
    deployment_pipeline_versions: [{ pipeline_version: { id: pipeline_variant_pk_id } }],
    pipeline: { pipeline_id: 'acted-on' },
  });
  expect((await run('PipelineModels', { pipeline_id: pipeline_pk_id })).pipeline_by_pk.deployment).toEqual({
    deployment_model_configs_aggregate: { nodes: [{ model_config: { model: { model: { name: 'house' } } } }] },
  });
  expect((await run('QueryLimitStatus', { id: deploymentId })).deployment).toEqual([
    { id: deploymentId, deployed: true, limit_status: null },
  ]);
  const off = await post(
    'mutation { update_deployment_by_pk(pk_columns: {id: ' +
      deploymentId +
      '}, _set: {deployed: false}) { deployed } }',
  );
  expect(off.json().data).toEqual({ update_deployment_by_pk: { deployed: false } });
  const { update_deployment_by_pk } = await run('Deploy', { id: deploymentId });
  expect(update_deployment_by_pk).toEqual({ id: deploymentId, deploy_id: 'acted-on', deployed: true });
  expect((await run('DeploymentByName', { deployment_name: 'acted-on' })).deployment).toEqual([{ id: deploymentId }]);
});

test('a configured model is served with the new configuration once it replaces the old one', async () => {
  const { deploymentId } = await deploy('reconfigured');
  const { insert_model_config } = await run('ConfigureModel', {
    model_id: model.versionId,
    runtime: 'onnx',
    tensor_fields: ['tensor'],
    filter_threshold: 1,
  });
  const [config] = insert_model_config.returning;
  expect(config).toMatchObject({
    model_id: model.versionId,
    runtime: 'onnx',
    tensor_fields: ['tensor'],
    filter_threshold: 1,
  });
  await run('ReplaceModel', { deployment_id: deploymentId, model_config_id: config.id });
  const { deployment_by_pk } = await run('DeploymentById', { deployment_id: deploymentId });
  expect(deployment_by_pk.deployment_model_configs).toEqual([{ model_config: { id: config.id } }]);
  expect((await run('ModelConfigById 2026', { model_config_id: config.id })).model_config_by_pk).toMatchObject({
    id: config.id,
    model: { id: model.versionId },
    dynamic_batching_config: null,
  });
});

test('a model version is found and told, its architecture at the path that the SDK asks for', async () => {
  const document = sdkDocuments['ModelById 2026'].replace('id: 1', `id: ${model.versionId}`);
  expect((await post(document)).json().data.model_by_pk).toMatchObject({
    model_id: 'house',
    model_version: model.reference.version,
    models_pk_id: model.modelId,
    sha: model.reference.sha,
    status: 'ready',
    visibility: 'private',
    arch: 'x86',
    accel: 'none',
    model: { workspace: { id: workspaceId, name: 'lab' } },
  });
  const named = { model_id: 'house', model_version: model.reference.version };
  expect((await run('ModelByName 2023', named)).model).toEqual([{ id: model.versionId, ...named }]);
  expect((await run('ModelByName 2023', { ...named, model_version: 'not a uuid' })).model).toEqual([]);
  const search = { search_term: 'HOU', workspace_id: workspaceId, workspace_name: 'lab' };
  expect((await run('GetModels 2026', search)).search_models).toEqual([{ id: model.versionId }]);
  expect(
    (await run('UpdateModelVisibility', { model_pk: model.versionId, visibility: 'public' })).update_model,
  ).toMatchObject({
    returning: [{ id: model.versionId, visibility: 'public' }],
  });
});

test('tags are put on models and pipelines and taken off', async () => {
  const { pipeline_pk_id } = await addVersion('tagged');
  const { insert_tag } = await run('CreateTag', { tag_text: 'blue' });
  const tag_id = insert_tag.returning[0].id;
  await run('AddTagToModel', { model_id: model.versionId, tag_id });
  await run('AddTagToPipeline', { pipeline_id: pipeline_pk_id, tag_id });
  expect((await run('ListTags')).tag).toMatchObject([
    {
      id: tag_id,
      tag: 'blue',
      model_tags: [{ model: { id: model.versionId } }],
      pipeline_tags: [{ pipeline: { pipeline_id: 'tagged' } }],
    },
  ]);
  expect((await run('PipelineById 2023', { pipeline_id: pipeline_pk_id })).pipeline_by_pk.pipeline_tags).toEqual([
    { tag: { id: tag_id, tag: 'blue' } },
  ]);
  expect(await run('RemoveTagFromModel', { model_id: model.versionId, tag_id })).toEqual({
    delete_model_tag: { returning: [{ model_id: model.versionId, tag_id }] },
  });
  await run('RemoveTagFromPipeline', { pipeline_id: pipeline_pk_id, tag_id });
  expect((await run('ListTags')).tag).toMatchObject([{ model_tags: [], pipeline_tags: [] }]);
});

test('what the platform does not have is told in a sentence or is not there', async () => {
  const alert = await post(sdkDocuments.CreateAlertConfiguration, { name: 'a' });
  expect(alert.json().errors[0]).toMatchObject({
    message: expect.stringContaining('Alerts'),
    extensions: { code: 'unsupported' },
  });
  const id = '3f0d9a9e-0a39-4a1c-9a5c-0f4a3c1c2b1d';
  expect(await run('GetOrchestration', { id })).toEqual({ orchestration_by_pk: null });
});

test.each([
  ['a batch', [{ query: '{ __typename }' }]],
  ['no query', {}],
  ['a query that is no text', { query: 1 }],
  ['an unknown field', { query: '{ workspace_by_pk(id: 1) { users { password } } }' }],
  [
    'text that cannot be stored',
    { query: sdkDocuments['PipelineByName 2023'], variables: { pipeline_name: 'a\u0000b' } },
  ],
  ['the same in a literal', { query: 'mutation { insert_tag(objects: {tag: "\\u0000"}) { returning { id } } }' }],
])('%s is a 400 in the common error shape', async (_what, body) => {
  const response = await api.post('ada', '/v1/graphql', body);
  expect(response.statusCode, response.body).toBe(400);
  expect(response.json()).toMatchObject({ code: 400, error: 'invalid_input', msg: expect.any(String) });
});

test('a body over 256 KB is refused, and so is a caller without a token, for introspection too', async () => {
  const large = await api.post('ada', '/v1/graphql', {
    query: '{ __typename }',
    variables: { x: 'a'.repeat(300_000) },
  });
  expect(large.statusCode).toBe(413);
  const anonymous = await api.post('nobody', '/v1/graphql', { query: '{ __schema { types { name } } }' });
  expect(anonymous.statusCode).toBe(401);
});

test.each([0, -1, 2 ** 31, 2 ** 52])('the id %d is null', async (id) => {
  expect(await run('PipelineById 2023', { pipeline_id: id })).toEqual({ pipeline_by_pk: null });
  expect(await run('QueryLimitStatus', { id })).toEqual({ deployment: [] });
});

test.each([2 ** 63, 1.5, '1e3', [1, 2], true, {}])('the id %j is an error, never a failure', async (id) => {
  const response = await post(sdkDocuments['PipelineById 2023'], { pipeline_id: id });
  expect(response.statusCode).toBe(200);
  expect(response.json().errors[0].extensions.code).toBe('invalid_input');
});

test('lists inside of lists stop at the budget of rows instead of multiplying', async () => {
  for (let i = 0; i < 25; i += 1) await addVersion('multiplied');
  const levels = 5;
  const query = `{ pipeline { ${'pipeline_versions { pipeline { '.repeat(levels)} id ${'} }'.repeat(levels)} } }`;
  const response = await post(query);
  expect(response.json().errors[0]).toMatchObject({ extensions: { code: 'too_large' } });
});

test('a list costs the same number of queries however long it is', async () => {
  const count = async (): Promise<number> => {
    let queries = 0;
    const { pool } = api.database;
    const original = pool.query;
    pool.query = ((...args: Parameters<typeof original>) => {
      queries += 1;
      return original.apply(pool, args);
    }) as typeof original;
    await post(
      '{ pipeline { workspace { name } pipeline_versions { id } deployment { deploy_id } pipeline_tags { tag { tag } } } }',
    );
    pool.query = original;
    return queries;
  };
  // What the API does at intervals may ask in between, which only ever adds to a count.
  const leastOfThree = async (): Promise<number> => Math.min(await count(), await count(), await count());
  const before = await leastOfThree();
  for (let i = 0; i < 10; i += 1) await deploy(`long-${i}`);
  expect(before).toBeGreaterThan(3);
  expect(await leastOfThree()).toBe(before);
});

test('with AUTH=off whatever user the SDK names is the one user there is', async () => {
  const open = await createTestApi({ isAuthOff: true, isLoginReal: true });
  try {
    const ask = async (query: string, variables: object) => {
      const payload = { query, variables };
      const headers = { authorization: 'no token' };
      const response = await open.app.inject({ method: 'POST', url: '/v1/graphql', payload, headers });
      expect(response.json().errors, response.body).toBeUndefined();
      return response.json().data;
    };
    const [first] = (await ask(sdkDocuments.UserDefaultWorkspace, { user_id: null })).user_default_workspace;
    for (const user_id of ['', '99cace15-e0d4-4bb6-bf14-35efee181b90']) {
      expect((await ask(sdkDocuments.UserDefaultWorkspace, { user_id })).user_default_workspace).toEqual([first]);
    }
    const variables = { user_id: 'jane', workspace_name: 'jane@ex.co - Default Workspace', user_type: 'OWNER' };
    const made = await ask(sdkDocuments['CreateDefaultUserWorkspace 2023'], variables);
    expect(made.insert_workspace_one).toEqual({ id: first.workspace.id });
  } finally {
    await open.close();
  }
});
