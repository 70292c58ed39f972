import { randomUUID } from 'node:crypto';
import type { Pool } from '@pademelon/database/sql';

export interface ServingRows {
  readonly userId: string;
  readonly workspaceId: number;
  readonly pipelineId: number;
  readonly pipelineName: string;
  readonly deploymentId: number;
  /** `<deploy_id>-<deployment id>`, as in the inference URL. */
  readonly deploymentName: string;
  readonly modelVersion: string;
}

/** Inserts a user with a workspace and a deployed pipeline of one model, by SQL alone: what hosts and gateways see. */
export async function insertServingRows(
  pool: Pool,
  options: { modelName?: string; sha?: string; engineConfig?: unknown; status?: string } = {},
): Promise<ServingRows> {
  const mark = randomUUID().slice(0, 8);
  const userId = randomUUID();
  const modelVersion = randomUUID();
  const name = options.modelName ?? 'model';
  const sha = options.sha ?? '0'.repeat(64);
  await pool.query('INSERT INTO users (id, email, username) VALUES ($1, $2, $2)', [userId, `${mark}@example.com`]);
  const workspaceId = await insert(pool, 'workspaces (name, created_by_id)', [`workspace-${mark}`, userId]);
  await pool.query('INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, $3)', [
    workspaceId,
    userId,
    'OWNER',
  ]);
  const modelId = await insert(pool, 'models (workspace_id, name, owner_id)', [workspaceId, name, userId]);
  await insert(
    pool,
    'model_versions (model_id, version, sha, file_name, size_bytes, status, conversion, created_by_id)',
    [...[modelId, modelVersion, sha, 'model.onnx', 1], ...[options.status ?? 'ready', {}, userId]],
  );
  const pipelineName = `pipeline-${mark}`;
  const pipelineId = await insert(pool, 'pipelines (workspace_id, name, owner_id)', [
    workspaceId,
    pipelineName,
    userId,
  ]);
  const versionId = await insert(pool, 'pipeline_versions (pipeline_id, version, definition, created_by_id)', [
    ...[pipelineId, randomUUID()],
    ...[{ steps: [{ ModelInference: { models: [{ name, version: modelVersion, sha }] } }] }, userId],
  ]);
  const deploymentId = await insert(
    pool,
    'deployments (pipeline_id, deploy_id, is_deployed, pipeline_version_id, engine_config)',
    [pipelineId, pipelineName, true, versionId, options.engineConfig ?? {}],
  );
  const deploymentName = `${pipelineName}-${deploymentId}`;
  return { userId, workspaceId, pipelineId, pipelineName, deploymentId, deploymentName, modelVersion };
}

async function insert(pool: Pool, table: string, values: readonly unknown[]): Promise<number> {
  const places = values.map((_, index) => `$${index + 1}`).join(', ');
  const { rows } = await pool.query<{ id: number }>(`INSERT INTO ${table} VALUES (${places}) RETURNING id`, [
    ...values,
  ]);
  return rows[0]!.id;
}
