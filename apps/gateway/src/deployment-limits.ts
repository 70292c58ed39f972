import { readEngineLimits } from '@pademelon/contracts';

/** The bounds of one deployment. */
export interface DeploymentLimits {
  /** Exchanges that one pod is given at a time. */
  readonly perPod: number;
  /** Exchanges that may wait for a pod; one more is answered 429. */
  readonly queued: number;
  /** An exchange that must wait, and longer than this by the pace of the answers so far, is answered 429 at once. */
  readonly queueWaitMs: number;
  /** From the end of a request's body to the head of its response; later it is answered 504. */
  readonly requestDeadlineMs: number;
  /** How long a model may take for one request before the host ends its pod. */
  readonly runDeadlineMs: number;
}

/** What the deployer asks for, else what the platform is set to. Nobody gets more time than the platform gives. */
export function deploymentLimits(engineConfig: unknown, platform: DeploymentLimits): DeploymentLimits {
  const asked = readEngineLimits(engineConfig);
  return {
    perPod: asked.ongoingRequests ?? platform.perPod,
    queued: asked.queuedRequests ?? platform.queued,
    queueWaitMs: asked.queueWaitMs ?? platform.queueWaitMs,
    requestDeadlineMs: Math.min(asked.requestDeadlineMs ?? Number.POSITIVE_INFINITY, platform.requestDeadlineMs),
    runDeadlineMs: Math.min(asked.runDeadlineMs ?? Number.POSITIVE_INFINITY, platform.runDeadlineMs),
  };
}
