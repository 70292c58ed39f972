import type { PlatformState } from '@pademelon/domain';
import type { Pool } from './pool.ts';

/** One statement, so that the numbers belong together. */
export async function readPlatformState(pool: Pool): Promise<PlatformState> {
  const { rows } = await pool.query<{ what: string; state: string; count: string }>(stateSql);
  const of = (what: string): Record<string, number> =>
    Object.fromEntries(rows.filter((row) => row.what === what).map(({ state, count }) => [state, Number(count)]));
  return {
    pods: of('pod'),
    runs: of('run'),
    orchestrations: of('orchestration'),
    workers: of('worker'),
    inferenceHosts: of('host')['live'] ?? 0,
    deployments: of('deployment')['deployed'] ?? 0,
    droppedLogRows: of('dropped')['rows'] ?? 0,
  };
}

/** Finished runs are not counted: there may be millions, and their number is a counter's matter. */
const stateSql = `
  SELECT 'pod' AS what, state, count(*) AS count FROM pods GROUP BY state
  UNION ALL SELECT 'run', state, count(*) FROM runs WHERE state IN ('pending', 'claimed', 'running') GROUP BY state
  UNION ALL SELECT 'orchestration', status, count(*) FROM orchestrations GROUP BY status
  UNION ALL SELECT 'worker', sandbox, count(*) FROM workers WHERE last_seen_at > now() - interval '1 minute' GROUP BY sandbox
  UNION ALL SELECT 'host', 'live', count(*) FROM inference_hosts WHERE last_seen_at > now() - interval '10 seconds'
  UNION ALL SELECT 'deployment', 'deployed', count(*) FROM deployments WHERE is_deployed
  UNION ALL SELECT 'dropped', 'rows', coalesce(sum("rows"), 0) FROM inference_log_drops`;
