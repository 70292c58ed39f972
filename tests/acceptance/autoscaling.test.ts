import { forestModel } from '@pademelon/testing/onnx';
import { beforeAll, expect, inject, it } from 'vitest';
import { logIn, type RestClient } from './support/rest-client.ts';
import { type DeployedPipeline, deployModel, inferRecords, undeploy } from './support/rest-flow.ts';
import { until } from './support/until.ts';

let client: RestClient;
beforeAll(async () => {
  client = await logIn(inject('platform'));
});

interface Seen {
  readonly status: string;
  readonly details: readonly string[];
  readonly engines: readonly { readonly status: string }[];
}

function look(pipeline: DeployedPipeline): Promise<Seen> {
  return client.call('/v1/api/status/get_deployment', { name: `${pipeline.name}-${pipeline.deploymentId}` });
}

const running = ({ engines }: Seen) => engines.filter(({ status }) => status === 'Running').length;

/** Callers that each ask again as soon as they have their answer. `stop` gives the statuses of all answers. */
function startLoad(pipeline: DeployedPipeline, callers: number): { stop: () => Promise<Map<number, number>> } {
  const rows = Array.from({ length: 50 }, (_, row) => ({ tensor: [row, row / 2, -row] }));
  const statuses = new Map<number, number>();
  let isOver = false;
  const calling = Array.from({ length: callers }, async () => {
    while (!isOver) {
      const { status } = await inferRecords(client, pipeline.inferenceUrl, rows);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(calling);
      return statuses;
    },
  };
}

// The keys are those of the SDKs' replica_autoscale_min_max, scale_up_queue_depth and autoscale_cpu_utilization.
it.each([
  ['queue', { type: 'queue', scale_up_queue_depth: 3, scale_down_queue_depth: 1 }],
  ['CPU', { type: 'cpu', cpu_utilization: 10 }],
])('replicas come with a load on the %s, and go with it, while every request is answered', async (_name, trigger) => {
  const autoscale = { ...trigger, replica_min: 0, replica_max: 2, autoscaling_window: 4 };
  const model = forestModel({ features: 3, trees: 300, depth: 6 });
  // Without a number of replicas, as the SDKs send it.
  const engine = { replicas: undefined, autoscale };
  const pipeline = await deployModel(client, { modelBytes: model, engine });
  expect(await look(pipeline)).toMatchObject({ status: 'Running', engines: [{ status: 'Running' }] });
  const load = startLoad(pipeline, 16);
  const startedAt = performance.now();
  await until(async () => running(await look(pipeline)) === 2, { withinMs: 30_000, what: 'a second replica' });
  const upMs = performance.now() - startedAt;
  // Nothing more is wanted than the maximum.
  expect(await look(pipeline)).toMatchObject({ status: 'Running', details: [] });
  const statuses = await load.stop();
  const endedAt = performance.now();
  await until(
    async () => {
      const seen = await look(pipeline);
      expect(seen.status).toBe('Running');
      const { status } = await inferRecords(client, pipeline.inferenceUrl, [{ tensor: [1, 2, 3] }]);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      return seen.engines.length === 1;
    },
    { withinMs: 40_000, everyMs: 250, what: 'one replica again' },
  );
  const downMs = performance.now() - endedAt;
  process.stdout.write(`two replicas after ${Math.round(upMs)} ms of load, one ${Math.round(downMs)} ms after it\n`);
  expect([...statuses.keys()]).toEqual([200]);
  await undeploy(client, pipeline);
});
