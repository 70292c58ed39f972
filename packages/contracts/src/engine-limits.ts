import { member } from './quantity.ts';

/** What a deployment's engine configuration says of its bounds; null where it says nothing. */
export interface EngineLimits {
  /** `engine.max_ongoing_requests`: requests that one pod is given at a time. */
  readonly ongoingRequests: number | null;
  /** `engine.max_queued_requests`: requests that may wait for a pod. */
  readonly queuedRequests: number | null;
  /** `engine.max_queue_wait_millis`: how long a request may be expected to wait for its answer when it has to queue. */
  readonly queueWaitMs: number | null;
  /** `engine.request_timeout_millis`: from the end of a request to its answer, waiting included. */
  readonly requestDeadlineMs: number | null;
  /** `engine.run_timeout_millis`: how long the models may take for one request. */
  readonly runDeadlineMs: number | null;
}

/**
 * Reads the bounds that a deployer may put beside `replicas` and `cpu`; what is no number in range counts as absent.
 * The SDKs' builder does not know these keys, but sends them when they are added to what it built.
 */
export function readEngineLimits(engineConfig: unknown): EngineLimits {
  const engine = member(engineConfig, 'engine');
  return {
    ongoingRequests: integer(member(engine, 'max_ongoing_requests'), { min: 1, max: 10_000 }),
    queuedRequests: integer(member(engine, 'max_queued_requests'), { min: 0, max: 100_000 }),
    queueWaitMs: integer(member(engine, 'max_queue_wait_millis'), { min: 1, max: 3.6e6 }),
    requestDeadlineMs: integer(member(engine, 'request_timeout_millis'), { min: 1, max: 3.6e6 }),
    runDeadlineMs: integer(member(engine, 'run_timeout_millis'), { min: 100, max: 3.6e6 }),
  };
}

function integer(value: unknown, { min, max }: { min: number; max: number }): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : null;
}
