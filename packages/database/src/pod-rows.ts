import { channels, type PodState } from '@pademelon/contracts';
import { inTransaction } from './in-transaction.ts';
import type { Pool } from './pool.ts';

/** A deployment as inference hosts see it: what to serve, wanted or not. */
export interface DeploymentRow {
  readonly id: number;
  readonly deployId: string;
  readonly isDeployed: boolean;
  readonly revision: number;
  readonly engineConfig: unknown;
  /** What autoscaling came to; null until it first changed the number of replicas. */
  readonly scaledReplicas: number | null;
  /** Requests that the gateways held lately, all together; null where none of them says. */
  readonly requests: number | null;
  readonly workspaceId: number;
  readonly pipelineId: number;
  readonly pipelineName: string;
  /** UUID of the pipeline version to serve. */
  readonly pipelineVersion: string;
  readonly definition: unknown;
}

export interface PodRow {
  readonly id: string;
  readonly deploymentId: number;
  readonly revision: number;
  readonly replica: number;
  readonly hostId: string;
  readonly state: PodState;
  readonly restarts: number;
  /** Told to end, or on a host that is: it serves until another one does in its place. */
  readonly isLeaving: boolean;
  /** CPU time a second that it used lately; null where nobody measures it. */
  readonly usedCores: number | null;
}

export interface HostRow {
  readonly id: string;
  readonly address: string;
}

/** Desired and actual state at one moment. Deployments that are neither wanted nor have pods are left out. */
export interface ServingSnapshot {
  readonly deployments: readonly DeploymentRow[];
  readonly pods: readonly PodRow[];
  /** Hosts that take pods: seen within `hostLifetimeSeconds` by the database's clock, and not leaving. */
  readonly liveHosts: readonly HostRow[];
}

export interface PodSlot {
  readonly id: string;
  readonly deploymentId: number;
  readonly revision: number;
  readonly replica: number;
  readonly host: HostRow;
}

/** What a host reports of a pod of its own. */
export interface PodStatus {
  readonly state: PodState;
  readonly port: number | null;
  readonly reason: string | null;
  readonly restarts: number;
  readonly isLeaving: boolean;
}

/** A host not heard of for this long is gone, and its pods with it. */
export const hostLifetimeSeconds = 10;

/** A gateway that has not told its load for this long is gone. */
export const loadLifetimeSeconds = 5;

/** Any constant that no other lock uses: one host places replicas at a time. */
const placementLock = 7_236_936_650;

type Queryable = Pick<Pool, 'query'>;

/** Says that the host lives. One that is leaving gets no more pods, and by the same write all that it has leave. */
export async function registerHost(pool: Pool, host: HostRow, isLeaving: boolean): Promise<void> {
  await pool.query(
    `INSERT INTO inference_hosts (id, address, is_leaving) VALUES ($1, $2, $3)
     ON CONFLICT (id) DO UPDATE SET address = $2, is_leaving = $3, last_seen_at = now()`,
    [host.id, host.address, isLeaving],
  );
}

/** Forgets a host that stops, with its pods. */
export async function removeHost(pool: Pool, hostId: string): Promise<void> {
  await pool.query(
    `WITH gone AS (DELETE FROM inference_hosts WHERE id = $1 RETURNING 1)
     SELECT pg_notify(channel, '') FROM gone, unnest($2::text[]) AS channel`,
    [hostId, [channels.routes, channels.deployments]],
  );
}

/** Forgets hosts that have not been heard of, with their pods, whose replicas can then be placed elsewhere. */
export async function removeDeadHosts(pool: Pool, ownId: string): Promise<number> {
  const { rowCount } = await pool.query(
    `WITH gone AS (
       DELETE FROM inference_hosts
       WHERE id <> $1 AND last_seen_at < now() - make_interval(secs => $2) RETURNING 1)
     SELECT pg_notify($3, '') FROM gone`,
    [ownId, hostLifetimeSeconds, channels.routes],
  );
  return rowCount ?? 0;
}

export async function loadServingSnapshot(queryable: Queryable): Promise<ServingSnapshot> {
  const { rows } = await queryable.query<{ snapshot: ServingSnapshot }>(
    `SELECT json_build_object(
      'deployments', (SELECT coalesce(json_agg(d), '[]') FROM (
         SELECT d.id, d.deploy_id AS "deployId", d.is_deployed AS "isDeployed", d.revision,
                d.engine_config AS "engineConfig", d.scaled_replicas AS "scaledReplicas",
                (SELECT sum(requests) FROM gateway_loads l WHERE l.deployment_id = d.id
                    AND l.written_at >= now() - make_interval(secs => $2)) AS requests, p.workspace_id AS "workspaceId", p.id AS "pipelineId",
                p.name AS "pipelineName", v.version AS "pipelineVersion", v.definition
         FROM deployments d JOIN pipelines p ON p.id = d.pipeline_id
         JOIN pipeline_versions v ON v.id = d.pipeline_version_id
         WHERE d.is_deployed OR EXISTS (SELECT FROM pods WHERE pods.deployment_id = d.id)
         ORDER BY d.id) d),
      'pods', (SELECT coalesce(json_agg(p), '[]') FROM (
         SELECT p.id, deployment_id AS "deploymentId", revision, replica, host_id AS "hostId", state, restarts,
                p.is_leaving OR h.is_leaving AS "isLeaving", used_cores AS "usedCores"
         FROM pods p JOIN inference_hosts h ON h.id = p.host_id ORDER BY deployment_id, revision, replica) p),
      'liveHosts', (SELECT coalesce(json_agg(h), '[]') FROM (
         SELECT id, address FROM inference_hosts
         WHERE NOT is_leaving AND last_seen_at >= now() - make_interval(secs => $1) ORDER BY id) h)) AS snapshot`,
    [hostLifetimeSeconds, loadLifetimeSeconds],
  );
  return rows[0]!.snapshot;
}

/**
 * Assigns replicas that nobody runs to hosts, by `plan`, which sees the state under a lock that all hosts share: two
 * hosts never place one replica twice nor both think themselves the least loaded. Returns how many were placed.
 */
export async function placePods(pool: Pool, plan: (snapshot: ServingSnapshot) => readonly PodSlot[]): Promise<number> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [placementLock]);
    const slots = plan(await loadServingSnapshot(client));
    for (const slot of slots) {
      await client.query(
        `INSERT INTO pods (id, deployment_id, revision, replica, host_id, address, state)
         VALUES ($1, $2, $3, $4, $5, $6, 'starting')`,
        [slot.id, slot.deploymentId, slot.revision, slot.replica, slot.host.id, slot.host.address],
      );
    }
    if (slots.length > 0) await client.query("SELECT pg_notify($1, '')", [channels.deployments]);
    return slots.length;
  });
}

/** Writes what became of a pod and tells the gateways. False when its row is gone: nobody wants it any more. */
export async function updatePod(pool: Pool, podId: string, status: PodStatus): Promise<boolean> {
  const { rowCount } = await pool.query(
    `WITH changed AS (
       UPDATE pods SET state = $2, port = $3, reason = $4, restarts = $5, is_leaving = $6, updated_at = now() WHERE id = $1 RETURNING 1)
     SELECT pg_notify($7, '') FROM changed`,
    [podId, status.state, status.port, status.reason, status.restarts, status.isLeaving, channels.routes],
  );
  return rowCount === 1;
}

/** Forgets a pod whose process has ended, and tells gateways and hosts, which may have waited for it. */
export async function deletePod(pool: Pool, podId: string): Promise<void> {
  await pool.query(
    `WITH gone AS (DELETE FROM pods WHERE id = $1 RETURNING 1)
     SELECT pg_notify($2, '') FROM gone`,
    [podId, channels.routes],
  );
}
