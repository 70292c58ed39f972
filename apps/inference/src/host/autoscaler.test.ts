import type { DeploymentRow, PodRow, ServingSnapshot } from '@pademelon/database/sql';
import { expect, test } from 'vitest';
import { Autoscaler } from './autoscaler.ts';
import { placeReplicas, podsToRetire } from './placement.ts';

const byQueue = { type: 'queue', replica_min: 1, replica_max: 4, scale_up_queue_depth: 5, autoscaling_window: 10 };

function deployment(changes: Partial<DeploymentRow> = {}): DeploymentRow {
  return {
    id: 1,
    deployId: 'pipeline',
    isDeployed: true,
    revision: 1,
    engineConfig: { engine: { autoscale: byQueue } },
    scaledReplicas: null,
    requests: null,
    workspaceId: 1,
    pipelineId: 1,
    pipelineName: 'pipeline',
    pipelineVersion: '',
    definition: {},
    ...changes,
  };
}

const pod = (replica: number, changes: Partial<PodRow> = {}): PodRow => ({
  id: `pod ${replica}`,
  deploymentId: 1,
  revision: 1,
  replica,
  hostId: 'a',
  state: 'ready',
  restarts: 0,
  isLeaving: false,
  usedCores: null,
  ...changes,
});

function snapshot(row: Partial<DeploymentRow>, pods: readonly PodRow[] = [], hosts = ['a', 'b']): ServingSnapshot {
  return { deployments: [deployment(row)], pods, liveHosts: hosts.map((id) => ({ id, address: '127.0.0.1' })) };
}

/** The changes of looks two seconds apart, each with its own snapshot. */
function lookOn(autoscaler: Autoscaler, looks: readonly ServingSnapshot[], startMs = 0) {
  return looks.flatMap((look, i) => autoscaler.decide(look, startMs + i * 2_000));
}

const repeated = (count: number, look: ServingSnapshot) => Array<ServingSnapshot>(count).fill(look);

test('a queue that stays long gets replicas after six seconds, once', () => {
  const looks = repeated(5, snapshot({ requests: 40 }));
  expect(lookOn(new Autoscaler('a'), looks)).toEqual([{ deploymentId: 1, revision: 1, from: null, to: 2 }]);
});

test('only the first of the hosts decides', () => {
  const looks = repeated(6, snapshot({ requests: 40 }));
  expect(lookOn(new Autoscaler('b'), looks)).toEqual([]);
  const takesOver = repeated(4, snapshot({ requests: 40 }, [], ['b']));
  expect(lookOn(new Autoscaler('b'), [...looks, ...takesOver])).toHaveLength(1);
});

test('the CPU of all replicas counts together', () => {
  const engineConfig = { engine: { autoscale: { type: 'cpu', replica_min: 1, replica_max: 4, cpu_utilization: 50 } } };
  const busy = snapshot({ engineConfig, scaledReplicas: 2 }, [pod(0, { usedCores: 0.9 }), pod(1, { usedCores: 0.6 })]);
  expect(lookOn(new Autoscaler('a'), repeated(4, busy))).toMatchObject([{ from: 2, to: 3 }]);
  const unmeasured = snapshot({ engineConfig, scaledReplicas: 2 }, [pod(0), pod(1)]);
  expect(lookOn(new Autoscaler('a'), repeated(10, unmeasured))).toEqual([]);
});

test('what went before a gap, another number of replicas or another revision says nothing of now', () => {
  const idle = snapshot({ requests: 0, scaledReplicas: 3 });
  const before = repeated(4, idle);
  const after = repeated(4, idle);
  const autoscaler = new Autoscaler('a');
  lookOn(autoscaler, before);
  expect(lookOn(autoscaler, after, 60_000)).toEqual([]);
  expect(lookOn(new Autoscaler('a'), [...before, snapshot({ requests: 0, scaledReplicas: 2 }), ...after])).toEqual([]);
  expect(lookOn(new Autoscaler('a'), [...before, snapshot({ requests: 0, revision: 2 }), ...after])).toEqual([]);
  expect(lookOn(new Autoscaler('a'), [...before, ...after])).toMatchObject([{ from: 3, to: 1 }]);
});

test('an undeployed or fixed deployment is left alone', () => {
  const fixed = snapshot({ requests: 40, engineConfig: { engine: { replicas: 1 } } });
  expect(lookOn(new Autoscaler('a'), repeated(5, fixed))).toEqual([]);
  expect(lookOn(new Autoscaler('a'), repeated(5, snapshot({ requests: 40, isDeployed: false })))).toEqual([]);
});

test('replicas that are wanted more are placed under numbers that are free, and a draining one keeps its own', () => {
  const pods = [pod(0), pod(2, { state: 'draining' })];
  expect(placeReplicas(snapshot({ scaledReplicas: 3 }, pods), () => 'new')).toMatchObject([{ replica: 1 }]);
  expect(placeReplicas(snapshot({ scaledReplicas: 2 }, pods), () => 'new')).toEqual([]);
  expect(placeReplicas(snapshot({ scaledReplicas: 9 }, pods), () => 'new').map(({ replica }) => replica)).toEqual([
    1, 3,
  ]);
});

test('replicas that are too many go, the one that serves last', () => {
  const pods = [pod(0, { state: 'error' }), pod(1), pod(2), pod(3, { state: 'starting' })];
  const retired = (scaledReplicas: number) =>
    podsToRetire(snapshot({ scaledReplicas }, pods))
      .map(({ replica }) => replica)
      .sort();
  expect(retired(4)).toEqual([]);
  expect(retired(3)).toEqual([0]);
  expect(retired(2)).toEqual([0, 3]);
  expect(retired(1)).toEqual([0, 2, 3]);
});
