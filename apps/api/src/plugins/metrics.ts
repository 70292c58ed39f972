import type { PlatformState } from '@pademelon/domain';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricsOptions {
  /** Null while the database is away: what it would tell is left out then. */
  readonly readState: () => Promise<PlatformState | null>;
}

/**
 * `GET /metrics` for Prometheus: this process, its requests by route, and how many there are of what on the platform. No
 * names of anybody's things, because no token is asked for. Register before the routes.
 */
export const metrics = fastifyPlugin(async (app: FastifyInstance, { readState }: MetricsOptions) => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const seconds = new Histogram({
    name: 'api_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    // The pattern, never the path: paths hold names, and every name would be a series of its own.
    const route = request.routeOptions.url ?? 'none';
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
  });
  const showState = stateGauges(registry);
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    showState(await readState());
    return reply.type(registry.contentType).send(await registry.metrics());
  });
});

function stateGauges(registry: Registry): (state: PlatformState | null) => void {
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const byState = [
    ['pods', gauge('pademelon_pods', 'Pods by state.', ['state'])],
    ['runs', gauge('pademelon_unfinished_runs', 'Runs that are not over, by state.', ['state'])],
    ['orchestrations', gauge('pademelon_orchestrations', 'Orchestrations by status.', ['state'])],
    ['workers', gauge('pademelon_workers', 'Live workers by how they sandbox runs.', ['state'])],
  ] as const;
  const hosts = gauge('pademelon_inference_hosts', 'Live inference hosts.');
  const deployments = gauge('pademelon_deployments', 'Deployed pipelines.');
  const dropped = new Counter({
    name: 'inference_log_dropped_rows_total',
    help: 'Rows of the inference log that could not be written.',
    registers: [registry],
  });
  return (state) => {
    for (const [key, states] of byState) {
      states.reset();
      for (const [word, count] of Object.entries(state?.[key] ?? {})) states.set({ state: word }, count);
    }
    if (state === null) return;
    hosts.set(state.inferenceHosts);
    deployments.set(state.deployments);
    dropped.reset();
    dropped.inc(state.droppedLogRows);
  };
}
