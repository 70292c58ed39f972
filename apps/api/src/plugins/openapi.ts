import swagger from '@fastify/swagger';
import { platformVersion } from '@pademelon/contracts';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/** OpenAPI 3.1 from the route schemas, with a readable page at /v1/api/docs. Register before the routes. */
export const openapi = fastifyPlugin(async (app: FastifyInstance, options: { publicUrl: string }) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Pademelon',
        version: platformVersion,
        description: 'Workspaces, models, pipelines, deployments, inference and its logs.',
      },
      servers: [{ url: options.publicUrl }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }],
    },
  });
  serveDocs(app);
});

const docsPath = '/v1/api/docs';

/**
 * The document, and a page that shows it. The page is served by an app of its own that is made for its first reader:
 * what it loads takes 20 MB of memory, and most processes are never asked for it. Its links do not depend on the slash
 * behind its path, so nobody is sent from one to the other: the SDKs' callers follow no redirect.
 */
function serveDocs(app: FastifyInstance): void {
  const hidden = { schema: { hide: true } };
  app.get(`${docsPath}/openapi.json`, hidden, async () => app.swagger());
  app.get(`${docsPath}/openapi.yaml`, hidden, async (_request, reply) =>
    reply.type('application/yaml').send(app.swagger({ yaml: true })),
  );
  let docs: Promise<FastifyInstance> | undefined;
  const show = async (path: string, reply: FastifyReply): Promise<FastifyReply> => {
    docs ??= makeDocs();
    const page = await (await docs).inject({ method: 'GET', url: path });
    const { 'content-type': type, 'content-length': _, connection: __, date: ___, ...headers } = page.headers;
    return reply.code(page.statusCode).headers(headers).type(String(type)).send(page.rawPayload);
  };
  app.get(docsPath, hidden, async (_request, reply) => show(`${docsPath}/`, reply));
  app.get(`${docsPath}/*`, hidden, async (request, reply) => show(request.url, reply));
}

async function makeDocs(): Promise<FastifyInstance> {
  const { default: apiReference } = await import('@scalar/fastify-api-reference');
  const docs = fastify();
  const configuration = {
    title: 'Pademelon API',
    url: `${docsPath}/openapi.json`,
    cdn: `${docsPath}/js/scalar.js`,
  };
  await docs.register(apiReference, { routePrefix: docsPath, configuration });
  return docs;
}
