import type { Pool } from './pool.ts';

/** A model version as a pod needs it, with the configuration under which the deployment uses it. */
export interface PodModelRow {
  readonly versionId: number;
  readonly name: string;
  /** UUID of the model version. */
  readonly version: string;
  readonly sha: string;
  readonly status: string;
  /** Why it could not be packaged; null unless its status is `error`. */
  readonly errorSummary: string | null;
  readonly framework: string;
  readonly fileName: string;
  readonly requirements: readonly string[];
  /** Arrow schemas in base64. */
  readonly inputSchema: string | null;
  readonly outputSchema: string | null;
  readonly tensorFields: unknown;
  readonly dynamicBatching: unknown;
}

/**
 * The model versions among `versions` (UUIDs) that are in the workspace. Their configuration is the one that the
 * deployment names, else the newest.
 */
export async function loadPodModels(
  pool: Pool,
  input: { deploymentId: number; workspaceId: number; versions: readonly string[] },
): Promise<PodModelRow[]> {
  const { rows } = await pool.query<PodModelRow>(
    `SELECT v.id AS "versionId", m.name, v.version, v.sha, v.status,
            v.error_summary AS "errorSummary", v.file_name AS "fileName",
            coalesce(v.conversion->>'framework', 'onnx') AS framework,
            coalesce(v.conversion->'requirements', '[]') AS requirements,
            coalesce(c.input_schema, v.input_schema) AS "inputSchema",
            coalesce(c.output_schema, v.output_schema) AS "outputSchema",
            c.tensor_fields AS "tensorFields", c.dynamic_batching_config AS "dynamicBatching"
     FROM model_versions v JOIN models m ON m.id = v.model_id
     LEFT JOIN LATERAL (
       SELECT c.tensor_fields, c.dynamic_batching_config, c.input_schema, c.output_schema
       FROM model_configs c
       LEFT JOIN deployment_model_configs d ON d.model_config_id = c.id AND d.deployment_id = $1
       WHERE c.model_version_id = v.id
       ORDER BY (d.id IS NOT NULL) DESC, c.id DESC LIMIT 1) c ON true
     WHERE v.version = ANY($3::uuid[]) AND m.workspace_id = $2`,
    [input.deploymentId, input.workspaceId, input.versions],
  );
  return rows;
}
