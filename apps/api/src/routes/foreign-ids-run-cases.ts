import type { InjectOptions } from 'fastify';
import { buildForm, helloZip } from '../test-orchestration.ts';
import type { Names, RouteCase } from './foreign-ids-world.ts';

const json = (verb: string, body: object): InjectOptions => ({ method: 'POST', url: `/v1/api/${verb}`, payload: body });

/** What starts a task, once with a foreign workspace and once with a foreign orchestration. */
const orders = (verb: string, extra: object): RouteCase => {
  const order = (workspaces: Names, orchestrations: Names): InjectOptions =>
    json(verb, {
      json: {},
      workspace_id: workspaces.workspaceId,
      orch_id: orchestrations.orchestrationId,
      name: 'order',
      ...extra,
    });
  return (named, own) => [order(named, named), order(named, own), order(own, named)];
};

const byEither = (verb: string): RouteCase => {
  return (named) => [json(verb, { id: named.connectionId }), json(verb, { name: named.connectionName })];
};

/** The cases of connections, orchestrations, tasks and runs. What ends a thing comes after what reads it. */
export const runCases: Readonly<Record<string, RouteCase>> = {
  'POST /v1/api/connections/get': (named) => json('connections/get', { name: named.connectionName }),
  'POST /v1/api/connections/get_by_id': (named) => json('connections/get_by_id', { id: named.connectionId }),
  'POST /v1/api/connections/list': (named) => json('connections/list', { workspace_id: named.workspaceId }),
  'POST /v1/api/connections/test': byEither('connections/test'),
  'POST /v1/api/connections/add_to_workspace': (named, own) => [
    json('connections/add_to_workspace', { workspace_id: own.workspaceId, connection_id: named.connectionId }),
    json('connections/add_to_workspace', { workspace_id: named.workspaceId, connection_id: own.connectionId }),
  ],
  'POST /v1/api/connections/remove_from_workspace': (named) =>
    json('connections/remove_from_workspace', { workspace_id: named.workspaceId, connection_id: named.connectionId }),
  'POST /v1/api/orchestration/upload': (named) => ({
    method: 'POST',
    url: '/v1/api/orchestration/upload',
    ...buildForm([
      { name: 'file', fileName: 'a.zip', type: 'application/octet-stream', content: helloZip },
      { name: 'metadata', content: JSON.stringify({ workspace_id: named.workspaceId }) },
    ]),
  }),
  'POST /v1/api/orchestration/list': (named) => json('orchestration/list', { workspace_id: named.workspaceId }),
  'POST /v1/api/orchestration/list_all': (named) =>
    json('orchestration/list_all', { task_run_status: [], workspace_ids: [named.workspaceId] }),
  'POST /v1/api/orchestration/get_by_id': (named) => json('orchestration/get_by_id', { id: named.orchestrationId }),
  'POST /v1/api/orchestration/get_build_log': (named) =>
    json('orchestration/get_build_log', { id: named.orchestrationId }),
  'POST /v1/api/task/run_once': orders('task/run_once', {}),
  'POST /v1/api/task/run_scheduled': orders('task/run_scheduled', { schedule: '0 0 1 1 *' }),
  'POST /v1/api/task/run_continuously': orders('task/run_continuously', {}),
  'POST /v1/api/task/get_by_id': (named) => json('task/get_by_id', { id: named.taskId }),
  'POST /v1/api/task/list': (named) => [
    json('task/list', { workspace_id: named.workspaceId }),
    json('task/list', { orch_id: named.orchestrationId }),
    json('task/list', { orch_sha: named.orchestrationSha }),
  ],
  'POST /v1/api/task/get_tasks_by_orch_sha': (named) =>
    json('task/get_tasks_by_orch_sha', { sha: named.orchestrationSha }),
  'POST /v1/api/task/list_task_runs': (named) => json('task/list_task_runs', { task_id: named.taskId }),
  'POST /v1/api/task/get_run_details': (named, own) => [
    json('task/get_run_details', { pod_id: named.runId, task: named.taskId }),
    json('task/get_run_details', { pod_id: named.runId, task: own.taskId }),
  ],
  'POST /v1/api/task/get_logs_for_run': (named) => json('task/get_logs_for_run', { id: named.runId }),
  'GET /v1/api/task/runs/:id/logs/stream': (named) => ({
    method: 'GET',
    url: `/v1/api/task/runs/${named.runId}/logs/stream`,
  }),
  'POST /v1/api/task/pause': (named) => json('task/pause', { id: named.scheduledTaskId, pause: true }),
  'POST /v1/api/task/kill': (named) => json('task/kill', { id: named.taskId }),
  'POST /v1/api/connections/delete': (named) => json('connections/delete', { name: named.connectionName }),
};
