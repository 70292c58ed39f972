import type { GatewayLoad, RouteRow } from '@pademelon/database/sql';
import { expect, test } from 'vitest';
import { routeRow } from './gateway-test-bench.ts';
import { LoadReporter } from './load-reporter.ts';

function row(deploymentId: number, autoscale: unknown): RouteRow {
  return routeRow({ deploymentId, engineConfig: { engine: { autoscale } } });
}

const byQueue = { type: 'queue', replica_min: 1, replica_max: 3, scale_up_queue_depth: 2 };

function setup() {
  const loads = new Map<number, number>();
  const told: (readonly GatewayLoad[])[] = [];
  const bench = { loads, told, failure: null as Error | null };
  const reporter = new LoadReporter({
    loadOf: ({ deploymentId }) => loads.get(deploymentId) ?? null,
    write: async (_gatewayId, written) => {
      if (bench.failure !== null) throw bench.failure;
      told.push(written);
    },
  });
  return { ...bench, bench, reporter };
}

test('the mean of what was seen since the last report is told, for queue-scaled deployments alone', async () => {
  const { loads, told, reporter } = setup();
  reporter.watch([row(1, byQueue), row(2, { ...byQueue, type: 'cpu' }), row(3, byQueue)]);
  for (const load of [4, 0, 2, 2]) {
    loads.set(1, load).set(2, 9);
    reporter.look();
  }
  await reporter.report();
  loads.set(1, 7);
  reporter.look();
  await reporter.report();
  await reporter.report();
  expect(told).toEqual([[{ deploymentId: 1, requests: 2 }], [{ deploymentId: 1, requests: 7 }]]);
});

test('nothing is written where nothing is scaled by its queue', async () => {
  const { told, reporter } = setup();
  reporter.watch([row(1, undefined)]);
  reporter.look();
  await reporter.report();
  expect(told).toEqual([]);
});

test('what could not be told is not told later', async () => {
  const { loads, told, reporter, bench } = setup();
  reporter.watch([row(1, byQueue)]);
  loads.set(1, 100);
  bench.failure = new Error('away');
  reporter.look();
  await reporter.report();
  bench.failure = null;
  loads.set(1, 1);
  reporter.look();
  await reporter.report();
  expect(told).toEqual([[{ deploymentId: 1, requests: 1 }]]);
});
