import type { DeploymentRow, PodRow, ServingSnapshot } from '@pademelon/database/sql';
import { expect, test } from 'vitest';
import { hasMissingReplicas, placeReplicas, podsToRetire } from './placement.ts';

const deployment: DeploymentRow = {
  id: 1,
  deployId: 'd',
  isDeployed: true,
  revision: 2,
  engineConfig: { engine: { replicas: 2 } },
  scaledReplicas: null,
  requests: null,
  workspaceId: 1,
  pipelineId: 1,
  pipelineName: 'p',
  pipelineVersion: '',
  definition: {},
};

const pod = (replica: number, changes: Partial<PodRow> = {}): PodRow => ({
  id: `pod ${replica}`,
  deploymentId: 1,
  revision: 2,
  replica,
  hostId: 'a',
  state: 'ready',
  restarts: 0,
  isLeaving: false,
  usedCores: null,
  ...changes,
});

function snapshot(pods: readonly PodRow[], changes: Partial<DeploymentRow> = {}, hosts = ['a', 'b']): ServingSnapshot {
  const liveHosts = hosts.map((id) => ({ id, address: '127.0.0.1' }));
  return { deployments: [{ ...deployment, ...changes }], pods, liveHosts };
}

const placed = (look: ServingSnapshot) =>
  placeReplicas(look, () => 'new').map(({ replica, host }) => `${replica} on ${host.id}`);
const retired = (look: ServingSnapshot) => podsToRetire(look).map(({ id }) => id);

test('replicas without a pod go to the live hosts with the fewest pods', () => {
  expect(placed(snapshot([]))).toEqual(['0 on a', '1 on b']);
  expect(placed(snapshot([pod(0)]))).toEqual(['1 on b']);
  expect(placed(snapshot([], {}, []))).toEqual([]);
  expect(hasMissingReplicas(snapshot([pod(0), pod(1)]))).toBe(false);
});

test('a pod that leaves is replaced before it goes', () => {
  const leaving = pod(0, { isLeaving: true });
  expect(placed(snapshot([leaving, pod(1)], {}, ['b']))).toEqual(['2 on b']);
  const starting = snapshot([leaving, pod(1), pod(2, { state: 'starting' })]);
  expect(hasMissingReplicas(starting)).toBe(false);
  expect(retired(starting)).toEqual([]);
  expect(retired(snapshot([leaving, pod(1), pod(2)]))).toEqual(['pod 0']);
});

test('one that leaves and does not serve goes at once', () => {
  const dead = pod(0, { isLeaving: true, state: 'starting', restarts: 1 });
  expect(retired(snapshot([dead, pod(1)]))).toEqual(['pod 0']);
});

test('older pods serve until the newer are all ready, whichever of them leaves', () => {
  const older = [pod(0, { id: 'older', revision: 1 })];
  expect(retired(snapshot([...older, pod(0), pod(1, { state: 'starting' })]))).toEqual([]);
  expect(retired(snapshot([...older, pod(0), pod(1)]))).toEqual(['older']);
  const leaving = [pod(0, { id: 'older', revision: 1, isLeaving: true })];
  expect(retired(snapshot([...leaving, pod(0), pod(1, { state: 'starting' })]))).toEqual([]);
});

test('an older pod that never served or is in error goes at once', () => {
  const older = [
    pod(0, { id: 'never', revision: 1, state: 'starting' }),
    pod(1, { id: 'again', revision: 1, state: 'starting', restarts: 1 }),
    pod(2, { id: 'broken', revision: 1, state: 'error' }),
  ];
  expect(retired(snapshot(older))).toEqual(['never', 'broken']);
});

test('what is more than is wanted goes, those that serve last', () => {
  const pods = [pod(0, { state: 'starting' }), pod(1), pod(2)];
  expect(retired(snapshot(pods))).toEqual(['pod 0']);
  expect(retired(snapshot(pods, { isDeployed: false }))).toEqual(['pod 0', 'pod 1', 'pod 2']);
});
