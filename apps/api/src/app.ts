import { randomUUID } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Logger } from '@pademelon/runtime';
import fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { graphqlRoute } from './graphql/graphql-route.ts';
import { identityRoutes } from './identity/index.ts';
import { auth } from './plugins/auth.ts';
import { errorHandler } from './plugins/error-handler.ts';
import { metrics } from './plugins/metrics.ts';
import { openapi } from './plugins/openapi.ts';
import { RequestBudget } from './plugins/request-budget.ts';
import { uploadBodies } from './plugins/upload-bodies.ts';
import { getPipelineUrls } from './routes/admin/get-pipeline-url.ts';
import type { Api } from './routes/api.ts';
import { clientRoutes } from './routes/clients/index.ts';
import { getConfig } from './routes/config/get.ts';
import { connectionRoutes } from './routes/connections/index.ts';
import { listFeatures } from './routes/features/list.ts';
import { healthRoutes } from './routes/health/index.ts';
import { getArtifact } from './routes/internal/get-artifact.ts';
import { logRoutes } from './routes/logs/index.ts';
import { modelRoutes } from './routes/models/index.ts';
import { openInferenceRoutes } from './routes/open-inference/index.ts';
import { orchestrationRoutes } from './routes/orchestration/index.ts';
import { pipelineRoutes } from './routes/pipelines/index.ts';
import { plateauRoutes } from './routes/plateau/index.ts';
import { getDeploymentStatus } from './routes/status/get-deployment.ts';
import { taskRoutes } from './routes/task/index.ts';
import { userRoutes } from './routes/users/index.ts';
import { workspaceRoutes } from './routes/workspaces/index.ts';
import type { Services } from './services.ts';

export interface AppOptions {
  readonly services: Services;
  readonly publicUrl: string;
  readonly logger: Logger;
  /** How many requests one user may send in a minute; 6,000 by default. */
  readonly requestsPerMinute?: number;
  /** Told of every route: how tests see to it that none is forgotten. */
  readonly onRoute?: (route: { method: string | string[]; url: string }) => void;
}

/** The whole HTTP surface of the API on one screen. */
export async function buildApp(options: AppOptions): Promise<Api> {
  const { services, publicUrl, logger, onRoute, requestsPerMinute = 6_000 } = options;
  const app = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: 'x-request-id',
    genReqId: () => randomUUID(),
    // Large enough for 2 GB over a slow line; an upload that stands still is given up sooner (routes/upload-form.ts).
    requestTimeout: 3_600_000,
    bodyLimit: 16 * 1024 * 1024,
    // The gateway tells who it forwards for; what a client itself claims is not looked at.
    trustProxy: (_address, hop) => hop < 1,
    // An API endpoint given with a trailing slash makes the 2023 SDK send `//v1/api/…`.
    rewriteUrl: (request) => (request.url ?? '/').replace(/^\/{2,}/, '/'),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();

  if (onRoute) app.addHook('onRoute', onRoute);
  readUntypedBodies(app);
  await app.register(errorHandler);
  await app.register(metrics, { readState: services.readState });
  await app.register(openapi, { publicUrl });
  await app.register(uploadBodies);

  healthRoutes(app, services);
  getConfig(app, services);
  getArtifact(app, services);
  await identityRoutes(app, services.identity, services.authenticator);
  await app.register(async function authenticated(scope) {
    await scope.register(auth, {
      authenticator: services.authenticator,
      budget: new RequestBudget(requestsPerMinute),
    });
    userRoutes(scope, services);
    clientRoutes(scope, services);
    workspaceRoutes(scope, services);
    modelRoutes(scope, services);
    listFeatures(scope, services);
    pipelineRoutes(scope, services);
    connectionRoutes(scope, services);
    orchestrationRoutes(scope, services);
    taskRoutes(scope, services);
    plateauRoutes(scope, services);
    logRoutes(scope, services);
    await openInferenceRoutes(scope, services);
    getPipelineUrls(scope, services, publicUrl);
    getDeploymentStatus(scope, services, publicUrl);
    graphqlRoute(scope, services);
  });
  return app;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How a body without a Content-Type is read; JSON unless the route says otherwise. */
    untypedBody?: string;
  }
}

/** The SDKs send some bodies without any Content-Type (users/query, workspaces/add_user, models/upload_stream). */
function readUntypedBodies(app: Api): void {
  app.addHook('onRequest', async (request) => {
    request.headers['content-type'] ??= request.routeOptions.config.untypedBody ?? 'application/json';
  });
}
