import { maxReplicas, readEngineConfig } from './engine-config.ts';
import { member, parseQuantity } from './quantity.ts';

/** How a deployment wants the number of its replicas to follow its load. */
export interface AutoscalePolicy {
  readonly minimum: number;
  readonly maximum: number;
  /** `cpu`: loads are cores in use. `queue`: loads are requests that wait or are being answered. */
  readonly trigger: 'cpu' | 'queue';
  /** Load of one replica beyond which there should be more of them. */
  readonly upLoad: number;
  /** Load of one replica below which there may be fewer; never more than `upLoad`. */
  readonly downLoad: number;
  /** Milliseconds for which the load must have been low before replicas go. */
  readonly windowMs: number;
}

/** The per cent of its cores beyond which a replica is busy, unless the deployment says otherwise. */
const standardUtilization = 50;
/** Replicas go only when this share of the CPU at which others come would not be in use. */
const cpuSlack = 0.8;
const standardWindowSeconds = 300;

/** Null for a fixed number of replicas, which is also what every policy is that leaves no room or makes no sense. */
export function readAutoscalePolicy(engineConfig: unknown): AutoscalePolicy | null {
  const autoscale = member(member(engineConfig, 'engine'), 'autoscale');
  const trigger = member(autoscale, 'type');
  if (trigger !== 'cpu' && trigger !== 'queue') return null;
  // The SDK's builder writes a minimum of 0 unless told otherwise; nothing here starts a pod at the first request.
  const minimum = Math.max(1, Math.trunc(parseQuantity(member(autoscale, 'replica_min')) ?? 1));
  const maximum = Math.min(maxReplicas, Math.trunc(parseQuantity(member(autoscale, 'replica_max')) ?? 0));
  if (maximum <= minimum) return null;
  const loads = trigger === 'cpu' ? cpuLoads(autoscale, engineConfig) : queueLoads(autoscale);
  if (loads === null) return null;
  const windowSeconds = parseQuantity(member(autoscale, 'autoscaling_window')) ?? standardWindowSeconds;
  return { minimum, maximum, trigger, ...loads, windowMs: Math.max(1, windowSeconds) * 1_000 };
}

/** The replicas that are wanted now: as many as autoscaling has come to, within the policy, else as many as were asked for. */
export function wantedReplicas(engineConfig: unknown, scaledReplicas: number | null): number {
  const { replicas } = readEngineConfig(engineConfig);
  const policy = readAutoscalePolicy(engineConfig);
  if (policy === null) return replicas;
  return Math.min(policy.maximum, Math.max(policy.minimum, scaledReplicas ?? replicas));
}

type Loads = Pick<AutoscalePolicy, 'upLoad' | 'downLoad'>;

/** Per cent of the cores that a replica's threads can use. */
function cpuLoads(autoscale: unknown, engineConfig: unknown): Loads {
  const utilization = parseQuantity(member(autoscale, 'cpu_utilization')) || standardUtilization;
  const upLoad = (utilization / 100) * readEngineConfig(engineConfig).threads;
  return { upLoad, downLoad: upLoad * cpuSlack };
}

function queueLoads(autoscale: unknown): Loads | null {
  const upLoad = parseQuantity(member(autoscale, 'scale_up_queue_depth')) || null;
  if (upLoad === null) return null;
  return { upLoad, downLoad: Math.min(upLoad, parseQuantity(member(autoscale, 'scale_down_queue_depth')) ?? 1) };
}
