import { expect, test } from 'vitest';
import { readEngineLimits } from './engine-limits.ts';

const nothing = {
  ongoingRequests: null,
  queuedRequests: null,
  queueWaitMs: null,
  requestDeadlineMs: null,
  runDeadlineMs: null,
};

test('every bound is read from its key', () => {
  const engine = {
    max_ongoing_requests: 4,
    max_queued_requests: 0,
    max_queue_wait_millis: 500,
    request_timeout_millis: 10_000,
    run_timeout_millis: 2_000,
  };
  expect(readEngineLimits({ engine })).toEqual({
    ongoingRequests: 4,
    queuedRequests: 0,
    queueWaitMs: 500,
    requestDeadlineMs: 10_000,
    runDeadlineMs: 2_000,
  });
});

test.each([
  ['nothing', undefined],
  ['no object', 'engine'],
  ['no engine', {}],
  ['numbers out of range', { engine: { max_ongoing_requests: 0, max_queued_requests: -1, run_timeout_millis: 99 } }],
  [
    'no whole numbers',
    { engine: { max_ongoing_requests: 1.5, request_timeout_millis: '10', max_queued_requests: null } },
  ],
])('%s says nothing', (_what, config) => {
  expect(readEngineLimits(config)).toEqual(nothing);
});
