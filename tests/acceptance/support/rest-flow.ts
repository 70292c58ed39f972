import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { RestAnswer, RestClient } from './rest-client.ts';
import { until } from './until.ts';

/** A name that no other run has used. */
export function uniqueName(stem: string): string {
  return `${stem}-${randomUUID().slice(0, 8)}`;
}

export interface UploadedModel {
  readonly name: string;
  /** Of the model version. */
  readonly id: number;
  readonly version: string;
  readonly sha: string;
}

export interface ModelFile {
  readonly name: string;
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly workspaceId: number;
}

/** The multipart upload; what the server answers is the caller's to judge. */
export function sendModel(client: RestClient, file: ModelFile): Promise<RestAnswer> {
  const form = new FormData();
  const metadata = {
    name: file.name,
    visibility: 'private',
    workspace_id: file.workspaceId,
    conversion: { framework: 'onnx', python_version: '3.8', requirements: [] },
  };
  form.append('metadata', new Blob([JSON.stringify(metadata)], { type: 'application/json' }));
  form.append('file', new Blob([new Uint8Array(file.bytes)], { type: 'application/octet-stream' }), file.fileName);
  return client.send('/v1/api/models/upload_and_convert', { body: form });
}

export async function uploadModel(client: RestClient, file: ModelFile): Promise<UploadedModel> {
  const answer = await sendModel(client, file);
  if (answer.status > 299) throw new Error(`The upload of ${file.name} was answered ${answer.status}: ${answer.text}`);
  const { id } = JSON.parse(answer.text).insert_models.returning[0].models[0];
  const { model_version } = await client.call('/v1/api/models/get_version_by_id', { model_version_id: id });
  const { file_info } = model_version.model_version;
  return { name: file.name, id, version: file_info.version, sha: file_info.sha };
}

export interface DeployedPipeline {
  readonly name: string;
  readonly id: number;
  readonly versionId: number;
  readonly workspaceId: number;
  readonly deploymentId: number;
  readonly model: UploadedModel;
  readonly inferenceUrl: string;
  /** Milliseconds from the deploy call to the first `Running`. */
  readonly deployMs: number;
}

export interface DeployOptions {
  readonly modelPath?: string;
  readonly modelBytes?: Uint8Array;
  readonly replicas?: number;
  readonly workspaceId?: number;
  readonly tensorFields?: readonly string[];
  /** Further keys of `engine_config.engine`. */
  readonly engine?: Readonly<Record<string, unknown>>;
  /** Return at once instead of waiting for `Running`. */
  readonly isUnwatched?: boolean;
}

/** Workspace → model → pipeline → deployment by plain HTTP, and the wait for `Running`. */
export async function deployModel(client: RestClient, options: DeployOptions): Promise<DeployedPipeline> {
  const workspaceId = options.workspaceId ?? (await createWorkspace(client));
  const model = await uploadModel(client, {
    name: uniqueName('model'),
    fileName: basename(options.modelPath ?? 'model.onnx'),
    bytes: options.modelBytes ?? (await readFile(options.modelPath!)),
    workspaceId,
  });
  const config = options.tensorFields === undefined ? {} : { tensor_fields: options.tensorFields };
  await client.call('/v1/api/models/insert_model_config', { model_version_id: model.id, ...config });
  const name = uniqueName('pipeline');
  const { version, sha } = model;
  const definition = { id: name, steps: [{ ModelInference: { models: [{ name: model.name, version, sha }] } }] };
  const created = await client.call('/v1/api/pipelines/create', {
    pipeline_id: name,
    workspace_id: workspaceId,
    definition,
  });
  const startedAt = performance.now();
  const { id: deploymentId } = await client.call('/v1/api/pipelines/deploy', {
    deploy_id: name,
    pipeline_version_pk_id: created.pipeline_variant_pk_id,
    pipeline_id: created.pipeline_pk_id,
    model_ids: [model.id],
    engine_config: {
      engine: { replicas: options.replicas ?? 1, cpu: 1, ...options.engine },
      workspace_id: workspaceId,
    },
  });
  if (!options.isUnwatched) await untilStatus(client, `${name}-${deploymentId}`, 'Running');
  return {
    name,
    id: created.pipeline_pk_id,
    versionId: created.pipeline_variant_pk_id,
    workspaceId,
    deploymentId,
    model,
    inferenceUrl: `${client.url}/v1/api/pipelines/infer/${name}-${deploymentId}/${name}`,
    deployMs: performance.now() - startedAt,
  };
}

export async function createWorkspace(client: RestClient): Promise<number> {
  return (await client.call('/v1/api/workspaces/create', { workspace_name: uniqueName('workspace') })).workspace_id;
}

export function deploymentStatus(client: RestClient, name: string): Promise<RestAnswer> {
  return client.send('/v1/api/status/get_deployment', {
    body: JSON.stringify({ name }),
    headers: { 'content-type': 'application/json' },
  });
}

/** Waits for a status word (or 404 for `gone`) and gives the status body. */
// biome-ignore lint/suspicious/noExplicitAny: answers are read as a script would read them, without types.
export async function untilStatus(client: RestClient, name: string, wanted: string, withinMs = 30_000): Promise<any> {
  let last = '';
  return until(
    async () => {
      const answer = await deploymentStatus(client, name);
      last = answer.text;
      if (wanted === 'gone') return answer.status === 404 && {};
      const body = answer.status === 200 ? JSON.parse(answer.text) : undefined;
      return body?.status === wanted && body;
    },
    { withinMs, everyMs: 20, what: () => `the deployment ${name} to be ${wanted}; it is ${last.slice(0, 1500)}` },
  );
}

export async function undeploy(client: RestClient, pipeline: DeployedPipeline): Promise<void> {
  await client.call('/v1/api/pipelines/undeploy', {
    pipeline_id: pipeline.id,
    deployment_id: pipeline.deploymentId,
  });
  await untilStatus(client, `${pipeline.name}-${pipeline.deploymentId}`, 'gone');
}

export const recordsType = 'application/json; format=pandas-records';
export const arrowType = 'application/vnd.apache.arrow.file';

/** One inference with pandas records, as plain HTTP callers send it. */
export function inferRecords(client: RestClient, url: string, records: unknown, query = ''): Promise<RestAnswer> {
  return client.send(`${url}${query}`, { body: JSON.stringify(records), headers: { 'content-type': recordsType } });
}
