import { channels } from '@pademelon/contracts';
import { loadLifetimeSeconds } from './pod-rows.ts';
import type { Pool } from './pool.ts';

/** What hosts and gateways tell of the load of deployments whose number of replicas follows it, and what comes of it. */

/** Requests of a deployment that one gateway held on average since it last told. */
export interface GatewayLoad {
  readonly deploymentId: number;
  readonly requests: number;
}

export interface ReplicaChange {
  readonly deploymentId: number;
  readonly revision: number;
  readonly from: number | null;
  readonly to: number;
}

/** Deployments that are gone meanwhile are left out. */
export async function writeGatewayLoads(pool: Pool, gatewayId: string, loads: readonly GatewayLoad[]): Promise<void> {
  await pool.query(
    `INSERT INTO gateway_loads AS l (gateway_id, deployment_id, requests)
     SELECT $1, told.id, told.requests FROM unnest($2::int[], $3::float8[]) AS told (id, requests)
     JOIN deployments d ON d.id = told.id
     ON CONFLICT (gateway_id, deployment_id) DO UPDATE SET requests = excluded.requests, written_at = now()`,
    [gatewayId, loads.map(({ deploymentId }) => deploymentId), loads.map(({ requests }) => requests)],
  );
}

/** Forgets what gateways that are long gone have told. */
export async function removeOldLoads(pool: Pool): Promise<void> {
  await pool.query('DELETE FROM gateway_loads WHERE written_at < now() - make_interval(secs => $1)', [
    loadLifetimeSeconds * 12,
  ]);
}

/** CPU time a second of pods, by their ids. */
export async function writeUsedCores(pool: Pool, usedCores: ReadonlyMap<string, number>): Promise<void> {
  await pool.query(
    `UPDATE pods SET used_cores = told.cores FROM unnest($1::uuid[], $2::float8[]) AS told (id, cores)
     WHERE pods.id = told.id`,
    [[...usedCores.keys()], [...usedCores.values()]],
  );
}

/**
 * Writes how many replicas autoscaling wants, unless the deployment was changed since that was decided, and tells hosts
 * and gateways. False when it was.
 */
export async function changeReplicas(
  pool: Pool,
  { deploymentId, revision, from, to }: ReplicaChange,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `WITH changed AS (
       UPDATE deployments SET scaled_replicas = $4
       WHERE id = $1 AND revision = $2 AND is_deployed AND scaled_replicas IS NOT DISTINCT FROM $3 RETURNING 1)
     SELECT pg_notify(channel, '') FROM changed, unnest($5::text[]) AS channel`,
    [deploymentId, revision, from, to, [channels.deployments, channels.routes]],
  );
  return (rowCount ?? 0) > 0;
}
