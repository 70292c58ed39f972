import { expect, test } from 'vitest';
import { readAutoscalePolicy, wantedReplicas } from './autoscale-policy.ts';

const byQueue = { replica_min: 2, replica_max: 5, type: 'queue', scale_up_queue_depth: 8 };
const engine = (autoscale: unknown, rest: object = {}) => ({ engine: { autoscale, ...rest } });

test('the policy is read from what the SDKs build', () => {
  const byCpu = { replica_min: 0, replica_max: 4, type: 'cpu', cpu_utilization: 75 };
  expect(readAutoscalePolicy(engine(byCpu, { cpu: 2 }))).toEqual({
    minimum: 1,
    maximum: 4,
    trigger: 'cpu',
    upLoad: 1.5,
    downLoad: expect.closeTo(1.2),
    windowMs: 300_000,
  });
  expect(readAutoscalePolicy(engine({ ...byQueue, scale_down_queue_depth: 3, autoscaling_window: 60 }))).toEqual({
    minimum: 2,
    maximum: 5,
    trigger: 'queue',
    upLoad: 8,
    downLoad: 3,
    windowMs: 60_000,
  });
  expect(readAutoscalePolicy(engine({ replica_min: 1, replica_max: 2, type: 'cpu' }))?.upLoad).toBe(0.5);
  expect(readAutoscalePolicy(engine({ ...byQueue, scale_down_queue_depth: 9 }))?.downLoad).toBe(8);
});

test.each([
  ['nothing', undefined],
  ['no autoscaling', engine(undefined)],
  ['type none', engine({ type: 'none', cpu_utilization: 50 })],
  ['a type that needs hardware we do not run on', engine({ type: 'gpu', replica_min: 1, replica_max: 3 })],
  ['no maximum', engine({ type: 'cpu', replica_min: 1 })],
  ['a maximum that is the minimum', engine({ type: 'cpu', replica_min: 3, replica_max: 3 })],
  ['a queue without its limit', engine({ ...byQueue, scale_up_queue_depth: null })],
  ['a queue with a limit of 0', engine({ ...byQueue, scale_up_queue_depth: 0 })],
])('%s is a fixed number of replicas', (_name, config) => expect(readAutoscalePolicy(config)).toBeNull());

test('what is wanted is what scaling came to, within the policy, and what was asked for before it did', () => {
  expect(wantedReplicas(engine(byQueue), null)).toBe(2);
  expect(wantedReplicas(engine(byQueue, { replicas: 3 }), null)).toBe(3);
  expect(wantedReplicas(engine(byQueue), 4)).toBe(4);
  expect(wantedReplicas(engine(byQueue), 40)).toBe(5);
  expect(wantedReplicas(engine(byQueue), 1)).toBe(2);
  expect(wantedReplicas(engine({ type: 'none' }, { replicas: 3 }), 7)).toBe(3);
});
