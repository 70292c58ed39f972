import { randomUUID } from 'node:crypto';
import type { InjectOptions } from 'fastify';
import type { TestApi } from '../test-api.ts';
import { insertTestModel } from '../test-model.ts';
import { createReadyOrchestration } from '../test-orchestration.ts';

/** How requests name things of one workspace, or things that do not exist. */
export interface Names {
  readonly workspaceId: number;
  readonly workspaceName: string;
  readonly modelId: number;
  readonly modelName: string;
  readonly modelVersionId: number;
  readonly modelVersion: string;
  readonly modelSha: string;
  readonly modelConfigId: number;
  readonly pipelineId: number;
  readonly pipelineName: string;
  readonly pipelineVersionId: number;
  readonly pipelineVersion: string;
  readonly emptyVersionId: number;
  readonly deploymentId: number;
  readonly deployId: string;
  readonly tagId: number;
  readonly connectionId: string;
  readonly connectionName: string;
  readonly orchestrationId: string;
  readonly orchestrationSha: string;
  readonly taskId: string;
  /** The one run of the task; it has ended. */
  readonly runId: string;
  readonly scheduledTaskId: string;
  readonly clientId: string;
  readonly userId: string;
}

/** Requests that name the things of `named`; `own` are things that the caller does own, where a request needs both. */
export type RouteCase = (named: Names, own: Names) => InjectOptions | InjectOptions[];

/** Makes one of everything for a user, in a workspace of their own. `label` begins the names. */
export async function makeThings(api: TestApi, userId: string, label: string): Promise<Names> {
  const call = async (verb: string, body: object) => {
    const response = await api.post(userId, `/v1/api/${verb}`, body);
    if (response.statusCode !== 200) throw new Error(`${verb}: ${response.body}`);
    return response.json();
  };
  const workspaceName = `${label}-lab`;
  const workspaceId = (await call('workspaces/create', { workspace_name: workspaceName })).workspace_id;
  const model = await insertTestModel(api.database, { workspaceId, name: `${label}-model`, ownerId: userId });
  const addVersion = (definition: object) =>
    call('pipelines/create', { pipeline_id: `${label}-pipe`, workspace_id: workspaceId, definition });
  const empty = await addVersion({});
  const pipeline = await addVersion({ steps: [{ ModelInference: { models: [model.reference] } }] });
  const deployId = `${label}-deploy`;
  const deployment = await call('pipelines/deploy', {
    deploy_id: deployId,
    pipeline_version_pk_id: pipeline.pipeline_variant_pk_id,
  });
  const query = `mutation { insert_tag(objects: {tag: "${label}-tag"}) { returning { id } } }`;
  const tagId = (await api.post(userId, '/v1/graphql', { query })).json().data.insert_tag.returning[0].id;
  return {
    workspaceId,
    workspaceName,
    modelId: model.modelId,
    modelName: model.reference.name,
    modelVersionId: model.versionId,
    modelVersion: model.reference.version,
    modelSha: model.reference.sha,
    modelConfigId: model.configId,
    pipelineId: pipeline.pipeline_pk_id,
    pipelineName: `${label}-pipe`,
    pipelineVersionId: pipeline.pipeline_variant_pk_id,
    pipelineVersion: pipeline.pipeline_variant_version,
    emptyVersionId: empty.pipeline_variant_pk_id,
    deploymentId: deployment.id,
    deployId,
    tagId,
    ...(await makeRuns(api, userId, workspaceId, label)),
    clientId: (await call('clients/create', { name: `${label}-client` })).client_id,
    userId,
  };
}

/** A connection, an orchestration, a task with a run that has ended and a task on a schedule. */
async function makeRuns(api: TestApi, userId: string, workspaceId: number, label: string) {
  const call = async (verb: string, body: object) => (await api.post(userId, `/v1/api/${verb}`, body)).json();
  const connectionName = `${label}-connection`;
  const connectionId = (await call('connections/create', { name: connectionName, type: 'text', details: {} })).id;
  await call('connections/add_to_workspace', { workspace_id: workspaceId, connection_id: connectionId });
  const zip = [{ name: 'main.py', content: `# ${label}` }];
  const orchestrationId = await createReadyOrchestration(api, userId, workspaceId, zip);
  const orchestrationSha = (await call('orchestration/get_by_id', { id: orchestrationId })).sha;
  const order = { json: {}, workspace_id: workspaceId, orch_id: orchestrationId, name: label };
  const taskId = (await call('task/run_once', order)).id;
  const scheduledTaskId = (await call('task/run_scheduled', { ...order, schedule: '0 0 1 1 *' })).id;
  const { rows } = await api.database.pool.query(
    `UPDATE runs SET state = 'success', reason = 'completed', finished_at = now() WHERE task_id = $1 RETURNING id`,
    [taskId],
  );
  const runId: string = rows[0].id;
  return { connectionId, connectionName, orchestrationId, orchestrationSha, taskId, runId, scheduledTaskId };
}

/** Names of which nothing exists. */
export const unknownNames: Names = {
  workspaceId: 900_001,
  workspaceName: 'unknown-lab',
  modelId: 900_002,
  modelName: 'unknown-model',
  modelVersionId: 900_003,
  modelVersion: randomUUID(),
  modelSha: 'a'.repeat(64),
  modelConfigId: 900_004,
  pipelineId: 900_005,
  pipelineName: 'unknown-pipe',
  pipelineVersionId: 900_006,
  pipelineVersion: randomUUID(),
  emptyVersionId: 900_007,
  deploymentId: 900_008,
  deployId: 'unknown-deploy',
  tagId: 900_009,
  connectionId: randomUUID(),
  connectionName: 'unknown-connection',
  orchestrationId: randomUUID(),
  orchestrationSha: 'b'.repeat(64),
  taskId: randomUUID(),
  runId: randomUUID(),
  scheduledTaskId: randomUUID(),
  clientId: 'unknown-client',
  userId: 'unknown-user',
};

/** Makes ids long and of a kind each, so that one in an answer cannot be taken for another or for a status. */
export async function spreadIds({ database }: TestApi): Promise<void> {
  const tables = [
    'workspaces',
    'models',
    'model_versions',
    'model_configs',
    'pipelines',
    'pipeline_versions',
    'deployments',
    'tags',
  ];
  for (const [index, table] of tables.entries()) {
    await database.pool.query(`ALTER SEQUENCE ${table}_id_seq RESTART WITH ${(index + 1) * 100_000}`);
  }
}

/** An answer with the given names, and what differs between any two requests, taken out. */
export function withoutNames(answer: string, names: Names): string {
  let text = answer.replace(/"request_id":"[^"]*"/g, '"request_id":"…"');
  for (const [kind, name] of Object.entries(names)) text = text.replaceAll(String(name), `<${kind}>`);
  return text;
}
