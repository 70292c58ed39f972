import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/** Bodies that routes read as streams: forms (routes/upload-form.ts) and bare files. Limits are the routes' own. */
export const uploadBodies = fastifyPlugin(async (app: FastifyInstance) => {
  await app.register(multipart);
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
});
