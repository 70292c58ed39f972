import { createHash, randomUUID } from 'node:crypto';
import type { TestDatabase } from '@pademelon/testing';

export interface TestModel {
  readonly modelId: number;
  readonly versionId: number;
  readonly configId: number;
  readonly reference: { readonly name: string; readonly version: string; readonly sha: string };
}

/** Rows of a model that is ready, as an upload would leave them, without a file: for tests of what only names models. */
export async function insertTestModel(
  { pool }: TestDatabase,
  input: { workspaceId: number; name: string; ownerId?: string; status?: string },
): Promise<TestModel> {
  const { workspaceId, name, ownerId = 'ada', status = 'ready' } = input;
  const version = randomUUID();
  const sha = createHash('sha256').update(version).digest('hex');
  const { rows: models } = await pool.query(
    `INSERT INTO models (workspace_id, name, owner_id) VALUES ($1, $2, $3)
     ON CONFLICT (workspace_id, name) DO UPDATE SET updated_at = now() RETURNING id`,
    [workspaceId, name, ownerId],
  );
  const { rows: versions } = await pool.query(
    `INSERT INTO model_versions (model_id, version, sha, file_name, size_bytes, status, conversion, created_by_id)
     VALUES ($1, $2, $3, $4, 100, $5, '{"framework":"onnx","requirements":[],"pythonVersion":"3.8","arch":"x86","accel":"none"}', $6)
     RETURNING id`,
    [models[0].id, version, sha, `${name}.onnx`, status, ownerId],
  );
  const { rows: configs } = await pool.query(
    `INSERT INTO model_configs (model_version_id, runtime) VALUES ($1, 'onnx') RETURNING id`,
    [versions[0].id],
  );
  return {
    modelId: models[0].id,
    versionId: versions[0].id,
    configId: configs[0].id,
    reference: { name, version, sha },
  };
}
