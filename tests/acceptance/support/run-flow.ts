import { buildZip } from '@pademelon/testing';
import type { RestClient } from './rest-client.ts';
import { until } from './until.ts';

export interface RunReport {
  readonly id: string;
  readonly state: string;
  readonly createdAt: string;
  /** Lines as the API gives them: `<time> <stream> F <text>`. */
  readonly lines: readonly string[];
}

/** Uploads main.py as an orchestration and waits until it is ready. Resolves to its id. */
export async function uploadMain(client: RestClient, workspaceId: number, code: string): Promise<string> {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(buildZip([{ name: 'main.py', content: code }]))]), 'run.zip');
  form.append('metadata', new Blob([JSON.stringify({ workspace_id: workspaceId })], { type: 'application/json' }));
  const uploaded = await client.send('/v1/api/orchestration/upload', { body: form });
  if (uploaded.status !== 202) throw new Error(`The upload was answered ${uploaded.status}: ${uploaded.text}`);
  const { id } = JSON.parse(uploaded.text);
  await until(
    async () => {
      const { status } = await client.call('/v1/api/orchestration/get_by_id', { id });
      if (status === 'error') throw new Error((await buildLog(client, id)).join('\n'));
      return status === 'ready';
    },
    { withinMs: 300_000, everyMs: 200, what: 'the orchestration to be ready' },
  );
  return id;
}

async function buildLog(client: RestClient, id: string): Promise<string[]> {
  return (await client.call('/v1/api/orchestration/get_build_log', { id })).logs;
}

/** Starts a task that runs once. Resolves to its id. */
export async function runOnce(client: RestClient, workspaceId: number, orchestrationId: string): Promise<string> {
  const order = { orch_id: orchestrationId, workspace_id: workspaceId, name: null, json: {} };
  return (await client.call('/v1/api/task/run_once', order)).id;
}

/** The only run of the task, as soon as it has ended. */
export async function untilEnded(client: RestClient, taskId: string): Promise<RunReport> {
  return until(
    async () => {
      const [run] = await client.call('/v1/api/task/list_task_runs', { task_id: taskId });
      if (run === undefined || run.finished_at === null) return false;
      const { logs } = await client.call('/v1/api/task/get_logs_for_run', { id: run.run_id, lines: 10_000 });
      return { id: run.run_id, state: run.state, createdAt: run.created_at, lines: logs };
    },
    { withinMs: 120_000, what: 'the run to end' },
  );
}
