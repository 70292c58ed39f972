import type { PodState } from '@pademelon/contracts';
import { expect, test } from 'vitest';
import type { PodReport } from './deployment.ts';
import { deploymentStatus } from './deployment-status.ts';

const pod = (revision: number, state: PodState, reason: string | null = null): PodReport => ({
  id: `${revision}-${state}`,
  revision,
  address: '127.0.0.1',
  state,
  reason,
});

const status = (pods: PodReport[], options: { isDeployed?: boolean; replicas?: number; liveHosts?: number } = {}) => {
  const { isDeployed = true, replicas = 1, liveHosts = 1 } = options;
  const engineConfig = { engine: { replicas } };
  return deploymentStatus({ isDeployed, revision: 2, engineConfig, scaledReplicas: null }, { pods, liveHosts });
};

test.each([
  ['nothing yet', [], 1, 'Starting'],
  ['loading', [pod(2, 'starting')], 1, 'Starting'],
  ['ready', [pod(2, 'ready')], 1, 'Running'],
  ['ready while the older drains', [pod(1, 'draining'), pod(2, 'ready')], 1, 'Running'],
  ['one replica of two', [pod(2, 'ready'), pod(2, 'starting')], 2, 'Starting'],
  ['both replicas', [pod(2, 'ready'), pod(2, 'ready')], 2, 'Running'],
  ['more than were wanted', [pod(2, 'ready'), pod(2, 'ready')], 1, 'Running'],
  ['only the older ready', [pod(1, 'ready')], 1, 'Starting'],
  ['the older ready, the newer failed', [pod(1, 'ready'), pod(2, 'error', 'No.')], 1, 'Starting'],
  ['the older draining, the newer failed', [pod(1, 'draining'), pod(2, 'error', 'No.')], 1, 'Error'],
  ['failed', [pod(2, 'error', 'No.')], 1, 'Error'],
  ['one ready, one failed', [pod(2, 'ready'), pod(2, 'error', 'No.')], 2, 'Starting'],
  ['one starting again, one failed', [pod(2, 'starting'), pod(2, 'error', 'No.')], 2, 'Error'],
] as const)('%s', (_name, pods, replicas, state) => {
  expect(status([...pods], { replicas })?.state).toBe(state);
});

test('an undeployed one stops, and is gone with its last replica', () => {
  expect(status([pod(2, 'draining')], { isDeployed: false })?.state).toBe('Stopping');
  expect(status([], { isDeployed: false })).toBeNull();
});

test('the reasons are told once each, and what they mean for who serves', () => {
  const failed = [pod(1, 'ready'), pod(2, 'error', 'Too large.'), pod(2, 'error', 'Too large.')];
  expect(status(failed, { replicas: 2 })?.details).toEqual([
    'Too large.',
    'The version that was deployed before keeps serving.',
  ]);
  expect(status([], { liveHosts: 0 })?.details).toEqual([expect.stringContaining('No inference host')]);
  expect(status([pod(2, 'ready', 'It was restarted once.')])?.details).toEqual([]);
});

test('an autoscaled one runs with the replicas it began with, and says how far the others are', () => {
  const engineConfig = { engine: { autoscale: { type: 'cpu', replica_min: 1, replica_max: 4 } } };
  const scaled = (scaledReplicas: number, ...pods: PodReport[]) =>
    deploymentStatus({ isDeployed: true, revision: 2, engineConfig, scaledReplicas }, { pods, liveHosts: 1 });
  const ready = pod(2, 'ready');
  expect(scaled(3, ready, pod(2, 'starting'))).toEqual({ state: 'Running', details: ['1 of 3 replicas are ready.'] });
  expect(scaled(2, ready, ready, pod(2, 'draining'))).toEqual({ state: 'Running', details: [] });
  expect(scaled(3, ready, pod(1, 'ready'))?.state).toBe('Starting');
  expect(scaled(3, ready, pod(2, 'error', 'No.'))?.details).toEqual(['1 of 3 replicas are ready.', 'No.']);
});
