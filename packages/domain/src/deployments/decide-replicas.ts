import type { AutoscalePolicy } from '@pademelon/contracts';

/** What all replicas of a deployment had to carry together at a moment, in the unit of the policy's loads. */
export interface LoadSample {
  readonly atMs: number;
  readonly load: number;
}

/** Load of so many milliseconds, or of the policy's window if that is shorter, decides whether replicas are added. */
const upWindowMs = 6_000;
/** A load that is only so much above the limit adds nothing: with CPU a replica more would be idle again. */
const tolerance = 1.1;

/**
 * How many replicas a deployment should have. Up fast: as soon as the mean of the last seconds is too much for those
 * there are, as many as it needs, but never more than twice as many at once. Down slowly: when the whole window's mean
 * was low, and no further than its highest moment needs. Between the two limits nothing changes. The samples, oldest
 * first, are those since the number last changed: what was measured with another number says nothing. Pure.
 */
export function decideReplicas(
  policy: AutoscalePolicy,
  replicas: number,
  samples: readonly LoadSample[],
  nowMs: number,
): number {
  const { minimum, maximum, upLoad, downLoad, windowMs } = policy;
  const within = (wanted: number) => Math.min(maximum, Math.max(minimum, wanted));
  const upLoads = loadsSince(samples, nowMs - Math.min(windowMs, upWindowMs));
  if (upLoads !== null && mean(upLoads) > replicas * upLoad * tolerance) {
    return within(Math.min(replicas * 2, Math.ceil(mean(upLoads) / upLoad)));
  }
  const downLoads = loadsSince(samples, nowMs - windowMs);
  if (downLoads !== null && mean(downLoads) < replicas * downLoad) {
    return within(Math.min(replicas, Math.ceil(Math.max(...downLoads) / upLoad)));
  }
  return within(replicas);
}

/** Null where the samples do not reach back so far. */
function loadsSince(samples: readonly LoadSample[], sinceMs: number): readonly number[] | null {
  if (samples.length === 0 || samples[0]!.atMs > sinceMs) return null;
  return samples.filter(({ atMs }) => atMs >= sinceMs).map(({ load }) => load);
}

function mean(loads: readonly number[]): number {
  return loads.reduce((sum, load) => sum + load, 0) / loads.length;
}
