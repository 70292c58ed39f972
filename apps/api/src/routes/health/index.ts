import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

/**
 * For load balancers and the launcher; no token needed. Tells whether requests can be served, and how many workers there
 * are by their sandbox (`jail`, or `process` where runs are not kept apart).
 */
export function healthRoutes(app: Api, services: Services): void {
  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const state = await services.readState();
    if (state !== null) return { status: 'ready', workers: state.workers };
    return reply.code(503).send({ status: 'unavailable', reason: 'The database does not answer.' });
  });
}
