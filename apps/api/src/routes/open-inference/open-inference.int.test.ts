import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { insertTestModel } from '../../test-model.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const call = async (user: string, verb: string, body: object) => {
  const response = await api.post(user, `/v1/api/${verb}`, body);
  if (response.statusCode !== 200) throw new Error(`${verb}: ${response.body}`);
  return response.json();
};

const signature = {
  first: {
    inputs: [
      { name: 'pixels', type: 'uint8', shape: ['N', 3, null] },
      { name: 'label', type: 'string', shape: ['N'] },
    ],
    outputs: [{ name: 'hidden', type: 'float32', shape: ['N', 8] }],
  },
  last: {
    inputs: [{ name: 'hidden', type: 'float32', shape: ['N', 8] }],
    outputs: [
      { name: 'score', type: 'float64', shape: [null, 1] },
      { name: 'class', type: 'int64', shape: null },
    ],
  },
};

interface Deployed {
  readonly workspaceId: number;
  readonly version: string;
  readonly deploymentId: number;
}

/** A deployed pipeline of two models, the first of which has a name of its own for its first input. */
async function deploy(user: string, workspace: string, pipeline: string): Promise<Deployed> {
  const { workspace_id: workspaceId } = await call(user, 'workspaces/create', { workspace_name: workspace });
  const steps: object[] = [];
  for (const end of ['first', 'last'] as const) {
    const model = await insertTestModel(api.database, { workspaceId, name: `${pipeline}-${end}`, ownerId: user });
    const { pool } = api.database;
    await pool.query('UPDATE model_versions SET signature = $2 WHERE id = $1', [model.versionId, signature[end]]);
    if (end === 'first') {
      await pool.query(`UPDATE model_configs SET tensor_fields = '["image"]' WHERE id = $1`, [model.configId]);
    }
    steps.push({ ModelInference: { models: [model.reference] } });
  }
  const created = await call(user, 'pipelines/create', {
    pipeline_id: pipeline,
    workspace_id: workspaceId,
    definition: { steps },
  });
  const { id } = await call(user, 'pipelines/deploy', {
    deploy_id: pipeline,
    pipeline_version_pk_id: created.pipeline_variant_pk_id,
  });
  return { workspaceId, version: created.pipeline_variant_version, deploymentId: id };
}

/** A ready pod, as its host would report it. */
async function startPod(deploymentId: number): Promise<void> {
  const { pool } = api.database;
  await pool.query(`INSERT INTO inference_hosts (id, address) VALUES ('host', '127.0.0.1') ON CONFLICT DO NOTHING`);
  await pool.query(
    `INSERT INTO pods (id, deployment_id, revision, replica, host_id, address, port, state)
     VALUES (gen_random_uuid(), $1, 1, 0, 'host', '127.0.0.1', 9, 'ready')`,
    [deploymentId],
  );
}

const get = (user: string, url: string) => api.send(user, { method: 'GET', url });
const index = (user: string, payload?: string) =>
  api.send(user, {
    method: 'POST',
    url: '/v2/repository/index',
    ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json' } }),
  });

describe('a deployed pipeline', () => {
  let deployed: Deployed;
  beforeAll(async () => {
    deployed = await deploy('ada', 'vision', 'eyes');
  });

  it('is described by what its first model takes and its last one gives', async () => {
    const expected = {
      name: 'eyes',
      versions: [deployed.version],
      platform: 'pademelon_pipeline',
      inputs: [
        { name: 'image', datatype: 'UINT8', shape: [-1, 3, -1] },
        { name: 'label', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [
        { name: 'score', datatype: 'FP64', shape: [-1, 1] },
        { name: 'class', datatype: 'INT64', shape: [-1] },
      ],
    };
    expect((await get('ada', '/v2/models/eyes')).json()).toEqual(expected);
    const versioned = await get('ada', `/v2/models/vision.eyes/versions/${deployed.version}`);
    expect(versioned.json()).toEqual({ ...expected, name: 'vision.eyes' });
  });

  it('has the configuration that Triton’s clients ask for', async () => {
    for (const version of ['', `/versions/${deployed.version}`]) {
      expect((await get('ada', `/v2/models/eyes${version}/config`)).json()).toEqual({
        name: 'eyes',
        platform: 'pademelon_pipeline',
        max_batch_size: 0,
        input: [
          { name: 'image', data_type: 'TYPE_UINT8', dims: [-1, 3, -1] },
          { name: 'label', data_type: 'TYPE_STRING', dims: [-1] },
        ],
        output: [
          { name: 'score', data_type: 'TYPE_FP64', dims: [-1, 1] },
          { name: 'class', data_type: 'TYPE_INT64', dims: [-1] },
        ],
      });
    }
  });

  it('is in the index, as ready once a pod of it is', async () => {
    const listed = { name: 'eyes', version: deployed.version, state: 'UNAVAILABLE', reason: expect.any(String) };
    expect((await index('ada')).json()).toEqual([listed]);
    expect((await index('ada', '{"ready":true}')).json()).toEqual([]);
    await startPod(deployed.deploymentId);
    const ready = { ...listed, state: 'READY', reason: '' };
    expect((await index('ada', '{"ready":true}')).json()).toEqual([ready]);
    expect((await index('ada', '{}')).json()).toEqual([ready]);
    expect((await index('bob')).json()).toEqual([]);
  });
});

describe('names', () => {
  it('are qualified where the caller has two of a name, and not in the eyes of others', async () => {
    const mine = await deploy('ada', 'first lab', 'twin');
    const theirs = await deploy('bob', 'second.lab', 'twin');
    const names = async (user: string) => (await index(user)).json().map((model: { name: string }) => model.name);
    expect(await names('bob')).toEqual(['twin']);
    await call('bob', 'workspaces/add_user', {
      workspace_id: theirs.workspaceId,
      email: 'ada@example.org',
      user_type: 'collaborator',
    });
    expect(await names('ada')).toEqual(expect.arrayContaining(['first lab.twin', 'second.lab.twin']));
    const ambiguous = await get('ada', '/v2/models/twin');
    expect(ambiguous.statusCode).toBe(409);
    expect(ambiguous.json()).toEqual({ error: expect.stringContaining('"first lab.twin", "second.lab.twin"') });
    expect((await get('ada', '/v2/models/first%20lab.twin')).json().versions).toEqual([mine.version]);
    expect((await get('ada', '/v2/models/second.lab.twin')).json().versions).toEqual([theirs.version]);
  });

  it('of nothing deployed are not found', async () => {
    const { deploymentId } = await deploy('ada', 'past', 'gone');
    expect((await get('ada', '/v2/models/gone')).statusCode).toBe(200);
    await call('ada', 'pipelines/undeploy', { deployment_id: deploymentId });
    for (const name of ['gone', 'past.gone', 'never', 'a%00b']) {
      const answer = await get('ada', `/v2/models/${name}`);
      expect([answer.statusCode, answer.json()]).toEqual([404, { error: expect.stringContaining('no model') }]);
    }
  });
});

describe('errors', () => {
  it.each([
    ['nobody', 'GET', '/v2/models/eyes', 401],
    ['ada', 'GET', '/v2/models/eyes/versions/1', 404],
    ['ada', 'GET', '/v2/models/eyes/stats', 404],
    ['ada', 'POST', '/v2/repository/models/eyes/load', 404],
    ['ada', 'POST', '/v2/systemsharedmemory/region/r/register', 404],
    ['nobody', 'GET', '/v2/trace/setting', 401],
  ] as const)('%s %s %s is answered %i in the protocol’s shape', async (user, method, url, status) => {
    const answer = await api.send(user, { method, url });
    expect([answer.statusCode, answer.json()]).toEqual([status, { error: expect.any(String) }]);
  });

  it('of a body that is no question: 400', async () => {
    for (const payload of ['[1]', '{"ready":"yes"}', '{"ready"']) {
      const answer = await index('ada', payload);
      expect([answer.statusCode, answer.json()]).toEqual([400, { error: expect.any(String) }]);
    }
  });
});
