import { expect, test } from 'vitest';
import { deploymentLimits } from './deployment-limits.ts';

const platform = { perPod: 64, queued: 512, queueWaitMs: 4_000, requestDeadlineMs: 60_000, runDeadlineMs: 30_000 };

test('a deployment has the bounds of the platform unless it says otherwise', () => {
  expect(deploymentLimits({ engine: { replicas: 2 } }, platform)).toEqual(platform);
  const engine = {
    max_ongoing_requests: 2,
    max_queued_requests: 0,
    max_queue_wait_millis: 100,
    run_timeout_millis: 500,
  };
  expect(deploymentLimits({ engine }, platform)).toEqual({
    perPod: 2,
    queued: 0,
    queueWaitMs: 100,
    requestDeadlineMs: 60_000,
    runDeadlineMs: 500,
  });
});

test('counts may exceed those of the platform, deadlines may not', () => {
  const engine = { max_queued_requests: 1_000, request_timeout_millis: 61_000, run_timeout_millis: 31_000 };
  expect(deploymentLimits({ engine }, platform)).toEqual({ ...platform, queued: 1_000 });
});
