import type { PlatformState } from '@pademelon/domain';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

/**
 * For load balancers and the launcher; no token needed. Tells whether requests can be served, and how many workers there
 * are by their sandbox (`jail`, or `process` where runs are not kept apart), with a warning where one has no jail.
 */
export function healthRoutes(app: Api, services: Services): void {
  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const state = await services.readState();
    if (state !== null) return { status: 'ready', workers: state.workers, ...warningOf(state.workers) };
    return reply.code(503).send({ status: 'unavailable', reason: 'The database does not answer.' });
  });
}

function warningOf(workers: PlatformState['workers']): { warning?: string } {
  const { process: unjailed = 0 } = workers;
  if (unjailed === 0) return {};
  const all = Object.values(workers).reduce((sum, count) => sum + count, 0);
  return {
    warning: `Runs are not sandboxed on ${unjailed} of ${all} workers: user code can read what the worker can read. The worker's log says why.`,
  };
}
