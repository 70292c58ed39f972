import type { ServedModel, ServedPipeline, ServedPipelineStore } from '@pademelon/domain';
import type { Pool } from './pool.ts';

/** Deployed pipelines with what their pods report, by plain SQL: one statement each, on the caller's membership. */
export class PgServedPipelineStore implements ServedPipelineStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async list(visibleTo: string, pipelineName?: string): Promise<ServedPipeline[]> {
    const { rows } = await this.#pool.query<ServedPipeline>(
      `SELECT p.name AS "pipelineName", w.name AS "workspaceName", d.id AS "deploymentId", w.id AS "workspaceId",
              v.version, v.definition->'steps' AS steps,
              EXISTS (SELECT FROM pods o WHERE o.deployment_id = d.id AND o.state = 'ready') AS "isReady"
       FROM deployments d JOIN pipelines p ON p.id = d.pipeline_id JOIN workspaces w ON w.id = p.workspace_id
       JOIN pipeline_versions v ON v.id = d.pipeline_version_id
       JOIN workspace_members m ON m.workspace_id = w.id AND m.user_id = $1
       WHERE d.is_deployed AND ($2::text IS NULL OR p.name = $2)
       ORDER BY p.name, w.name`,
      [visibleTo, pipelineName ?? null],
    );
    return rows;
  }

  /** Their configuration is the one that the deployment names, else the newest: as pods get it. */
  async models(pipeline: ServedPipeline, versions: readonly string[]): Promise<ServedModel[]> {
    const { rows } = await this.#pool.query<ServedModel>(
      `SELECT v.version, v.signature, c.tensor_fields AS "tensorFields"
       FROM model_versions v JOIN models m ON m.id = v.model_id
       LEFT JOIN LATERAL (
         SELECT c.tensor_fields FROM model_configs c
         LEFT JOIN deployment_model_configs d ON d.model_config_id = c.id AND d.deployment_id = $1
         WHERE c.model_version_id = v.id
         ORDER BY (d.id IS NOT NULL) DESC, c.id DESC LIMIT 1) c ON true
       WHERE v.version = ANY($3::uuid[]) AND m.workspace_id = $2`,
      [pipeline.deploymentId, pipeline.workspaceId, versions],
    );
    return rows;
  }
}
