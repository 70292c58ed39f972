import type { InjectOptions } from 'fastify';
import { runCases } from './foreign-ids-run-cases.ts';
import type { Names, RouteCase } from './foreign-ids-world.ts';

const json = (verb: string, body: object): InjectOptions => ({ method: 'POST', url: `/v1/api/${verb}`, payload: body });

/** A multipart upload whose metadata names a workspace. */
function upload(verb: string, workspaceId: number): InjectOptions {
  const metadata = {
    name: 'uploaded',
    visibility: 'private',
    workspace_id: workspaceId,
    conversion: { framework: 'onnx', python_version: '3.8', requirements: [] },
  };
  const payload = [
    '--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n',
    `${JSON.stringify(metadata)}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="m.onnx"`,
    'Content-Type: application/octet-stream\r\n\r\nno model\r\n--b--\r\n',
  ].join('\r\n');
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  return { method: 'POST', url: `/v1/api/models/${verb}`, headers, payload };
}

/** Questions of the Open Inference Protocol, by each name that a deployed pipeline has in it. */
const modelQuestions = ({ workspaceName, pipelineName }: Names, rest: string): InjectOptions[] =>
  [pipelineName, `${workspaceName}.${pipelineName}`].map((name) => ({
    method: 'GET',
    url: `/v2/models/${name}${rest}`,
  }));

const topicOf = (named: Names): string => `workspace-${named.workspaceId}-pipeline-${named.pipelineName}-inference`;

/**
 * For every route that can name a thing of a workspace, how. Routes that cannot are in `namingNothing`, with the reason;
 * GraphQL has a table of its own. A route in neither fails the test.
 */
export const routeCases: Readonly<Record<string, RouteCase>> = {
  ...runCases,
  'GET /v1/logs/topic/:topic': (named) => ({ method: 'GET', url: `/v1/logs/topic/${topicOf(named)}` }),
  'POST /v1/logs/topic/:topic/records': (named) => ({
    method: 'POST',
    url: `/v1/logs/topic/${topicOf(named)}/records`,
    payload: {},
  }),
  'POST /v1/api/admin/get_pipeline_external_url': (named, own) => [
    json('admin/get_pipeline_external_url', { workspace_id: named.workspaceId, pipeline_name: named.pipelineName }),
    json('admin/get_pipeline_external_url', { workspace_id: named.workspaceId, pipeline_name: own.pipelineName }),
  ],
  'POST /v1/api/admin/get_pipeline_internal_url': (named) =>
    json('admin/get_pipeline_internal_url', { workspace_id: named.workspaceId, pipeline_name: named.pipelineName }),
  'GET /v2/models/:model': (named) => modelQuestions(named, ''),
  'GET /v2/models/:model/config': (named) => modelQuestions(named, '/config'),
  'GET /v2/models/:model/versions/:version': (named) => modelQuestions(named, `/versions/${named.pipelineVersion}`),
  'GET /v2/models/:model/versions/:version/config': (named) =>
    modelQuestions(named, `/versions/${named.pipelineVersion}/config`),
  'POST /v1/api/clients/delete': (named) => json('clients/delete', { client_id: named.clientId }),
  'POST /v1/api/models/get': (named) => json('models/get', { id: named.modelId }),
  'POST /v1/api/models/get_by_id': (named) => json('models/get_by_id', { id: named.modelId }),
  'POST /v1/api/models/get_config_by_id': (named) =>
    json('models/get_config_by_id', { model_id: named.modelVersionId }),
  'POST /v1/api/models/get_upload_logs': (named) =>
    json('models/get_upload_logs', { model_version_id: named.modelVersionId, lines: 10 }),
  'POST /v1/api/models/get_version_by_id': (named) =>
    json('models/get_version_by_id', { model_version_id: named.modelVersionId }),
  'POST /v1/api/models/insert_model_config': (named) =>
    json('models/insert_model_config', { model_version_id: named.modelVersionId }),
  'POST /v1/api/models/list': (named) => [
    json('models/list', { workspace_id: named.workspaceId, workspace_name: null }),
    json('models/list', { workspace_id: null, workspace_name: named.workspaceName }),
  ],
  'POST /v1/api/models/list_versions': (named) =>
    json('models/list_versions', { model_id: named.modelName, models_pk_id: named.modelId }),
  'POST /v1/api/models/upload': (named) => upload('upload', named.workspaceId),
  'POST /v1/api/models/upload_and_convert': (named) => upload('upload_and_convert', named.workspaceId),
  'POST /v1/api/models/upload_stream': (named) => ({
    method: 'POST',
    url: `/v1/api/models/upload_stream?filename=m.onnx&name=uploaded&visibility=private&workspace_id=${named.workspaceId}`,
    headers: { 'content-type': 'application/octet-stream' },
    payload: 'no model',
  }),
  'POST /v1/api/pipelines/copy': (named, own) => [
    json('pipelines/copy', { name: 'copy-a', workspace_id: own.workspaceId, source_pipeline: named.pipelineId }),
    json('pipelines/copy', { name: 'copy-b', workspace_id: named.workspaceId, source_pipeline: own.pipelineId }),
  ],
  'POST /v1/api/pipelines/create': (named) =>
    json('pipelines/create', { pipeline_id: 'created', workspace_id: named.workspaceId, definition: {} }),
  'POST /v1/api/pipelines/deploy': (named, own) => [
    json('pipelines/deploy', { deploy_id: 'd', pipeline_version_pk_id: named.pipelineVersionId }),
    json('pipelines/deploy', { deploy_id: 'd', pipeline_version: named.pipelineVersion }),
    json('pipelines/deploy', { deploy_id: 'd', pipeline_id: named.pipelineId }),
    json('pipelines/deploy', {
      deploy_id: 'd',
      pipeline_version_pk_id: own.pipelineVersionId,
      pipeline_id: named.pipelineId,
    }),
    json('pipelines/deploy', {
      deploy_id: 'd',
      pipeline_version_pk_id: own.emptyVersionId,
      model_ids: [named.modelVersionId],
    }),
    json('pipelines/deploy', {
      deploy_id: 'd',
      pipeline_version_pk_id: own.emptyVersionId,
      models: [{ name: named.modelName, version: named.modelVersion, sha: named.modelSha }],
    }),
    json('pipelines/deploy', {
      deploy_id: 'd',
      pipeline_version_pk_id: own.pipelineVersionId,
      model_configs: [named.modelConfigId],
    }),
  ],
  'POST /v1/api/pipelines/get_logs': (named) => [
    json('pipelines/get_logs', { pipeline_name: named.pipelineName, workspace_id: named.workspaceId }),
    json('pipelines/get_logs', { pipeline_id: named.pipelineName, workspace_id: named.workspaceId }),
  ],
  'POST /v1/api/pipelines/get_pipeline_by_name': (named) =>
    json('pipelines/get_pipeline_by_name', { pipeline_name: named.pipelineName, workspace_id: named.workspaceId }),
  'POST /v1/api/pipelines/get_version': (named) => json('pipelines/get_version', { version: named.pipelineVersion }),
  'POST /v1/api/pipelines/list_pipelines': (named) => [
    json('pipelines/list_pipelines', { workspace_id: named.workspaceId, workspace_name: null }),
    json('pipelines/list_pipelines', { workspace_id: null, workspace_name: named.workspaceName }),
  ],
  'POST /v1/api/pipelines/undeploy': (named) => [
    json('pipelines/undeploy', { deployment_id: named.deploymentId }),
    json('pipelines/undeploy', { pipeline_id: named.pipelineId }),
  ],
  'POST /v1/api/plateau/get_topic_name': (named) =>
    json('plateau/get_topic_name', { pipeline_pk_id: named.pipelineId }),
  'POST /v1/api/status/get_deployment': (named) =>
    json('status/get_deployment', { name: `${named.deployId}-${named.deploymentId}` }),
  'POST /v1/api/users/query': (named) => json('users/query', { workspace_id: named.workspaceId }),
  'POST /v1/api/workspaces/add_user': (named) =>
    json('workspaces/add_user', { workspace_id: named.workspaceId, email: 'root@example.org', user_type: 'owner' }),
  'POST /v1/api/workspaces/list_users': (named) => json('workspaces/list_users', { workspace_id: named.workspaceId }),
  'POST /v1/api/workspaces/remove_user': (named) =>
    json('workspaces/remove_user', { workspace_id: named.workspaceId, email: 'root@example.org' }),
};

const aboutUsers = 'users are looked up by every user, and changed by administrators';
const aboutLogIn = 'log-in comes before there is a caller';
const takesNoName = 'names nothing that exists';
const refusesAll = 'refuses whatever it is sent without looking at it';

export const namingNothing: Readonly<Record<string, string>> = {
  'GET /auth/admin/realms/master/users': aboutUsers,
  'GET /auth/admin/realms/master/users/:id': aboutUsers,
  'PUT /auth/admin/realms/master/users/:id': aboutUsers,
  'POST /v1/api/users/activate': aboutUsers,
  'POST /v1/api/users/deactivate': aboutUsers,
  'POST /v1/api/users/invite': aboutUsers,
  'GET /auth/realms/master/.well-known/openid-configuration': aboutLogIn,
  'GET /auth/realms/master/device': aboutLogIn,
  'POST /auth/realms/master/device': aboutLogIn,
  'GET /auth/realms/master/protocol/openid-connect/certs': aboutLogIn,
  'GET /auth/realms/master/protocol/openid-connect/userinfo': aboutLogIn,
  'POST /auth/realms/master/protocol/openid-connect/auth/device': aboutLogIn,
  'POST /auth/realms/master/protocol/openid-connect/logout': aboutLogIn,
  'POST /auth/realms/master/protocol/openid-connect/revoke': aboutLogIn,
  'POST /auth/realms/master/protocol/openid-connect/token': aboutLogIn,
  'POST /auth/realms/master/protocol/openid-connect/userinfo': aboutLogIn,
  'GET /healthz': takesNoName,
  'GET /metrics': takesNoName,
  'GET /readyz': takesNoName,
  'GET /v1/api/config': takesNoName,
  'GET /v1/api/docs': takesNoName,
  'GET /v1/api/docs/*': takesNoName,
  'GET /v1/api/docs/openapi.json': takesNoName,
  'GET /v1/api/docs/openapi.yaml': takesNoName,
  'POST /v1/api/clients/create': takesNoName,
  'POST /v1/convert/keras': refusesAll,
  'POST /v1/convert/sklearn': refusesAll,
  'POST /v1/convert/xgboost': refusesAll,
  'POST /v1/api/clients/list': takesNoName,
  'POST /v1/api/admin/rotate_connection_keys': takesNoName,
  'POST /v1/api/connections/create': 'names are unique on the whole platform, so that one is taken shows to everybody',
  'POST /v1/api/features/list': takesNoName,
  'POST /v1/api/task/preview_schedule': takesNoName,
  'POST /v1/api/workspaces/create': takesNoName,
  'POST /v1/api/workspaces/list': takesNoName,
  'GET /internal/artifacts/:sha': "is open to the platform's own processes only",
  'POST /v2/repository/index': takesNoName,
  'POST /v1/graphql': 'has a table of its own, by field',
};
