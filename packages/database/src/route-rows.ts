import type { Pool } from './pool.ts';

/** A deployed pipeline and its pods that are ready, as gateways need them. */
export interface RouteRow {
  readonly deploymentId: number;
  readonly deployId: string;
  readonly pipelineName: string;
  /** UUID of the pipeline version to serve. */
  readonly pipelineVersion: string;
  readonly workspaceId: number;
  readonly workspaceName: string;
  readonly revision: number;
  readonly engineConfig: unknown;
  /** What autoscaling came to; null until it first changed the number of replicas. */
  readonly scaledReplicas: number | null;
  readonly pods: readonly ReadyPodRow[];
  /** Why pods of the current revision are in error, each reason once; empty while any pod starts, which may yet serve. */
  readonly failures: readonly string[];
}

export interface ReadyPodRow {
  readonly id: string;
  readonly revision: number;
  readonly address: string;
  readonly port: number;
}

export async function loadRoutes(pool: Pool): Promise<RouteRow[]> {
  const { rows } = await pool.query<RouteRow>(
    `SELECT d.id AS "deploymentId", d.deploy_id AS "deployId", p.name AS "pipelineName",
            v.version AS "pipelineVersion", w.id AS "workspaceId", w.name AS "workspaceName", d.revision, d.engine_config AS "engineConfig",
            d.scaled_replicas AS "scaledReplicas",
            coalesce((
              SELECT json_agg(json_build_object('id', o.id, 'revision', o.revision, 'address', o.address, 'port', o.port))
              FROM pods o WHERE o.deployment_id = d.id AND o.state = 'ready' AND o.port IS NOT NULL), '[]') AS pods,
            coalesce((
              SELECT json_agg(DISTINCT o.reason) FILTER (WHERE o.state = 'error' AND o.revision = d.revision)
              FROM pods o WHERE o.deployment_id = d.id HAVING NOT bool_or(o.state = 'starting')), '[]') AS failures
     FROM deployments d JOIN pipelines p ON p.id = d.pipeline_id JOIN workspaces w ON w.id = p.workspace_id
     JOIN pipeline_versions v ON v.id = d.pipeline_version_id
     WHERE d.is_deployed`,
  );
  return rows;
}
