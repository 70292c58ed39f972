import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openapi } from './openapi.ts';

let app: FastifyInstance;

beforeEach(async () => {
  app = fastify();
  await app.register(openapi, { publicUrl: 'https://models.example.org' });
  app.post('/v1/api/things/create', { schema: { summary: 'Makes a thing' } }, async () => ({}));
});

afterEach(() => app.close());

it('describes the routes', async () => {
  const answer = await app.inject({ url: '/v1/api/docs/openapi.json' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(answer.json()).toMatchObject({
    openapi: '3.1.0',
    servers: [{ url: 'https://models.example.org' }],
    paths: { '/v1/api/things/create': { post: { summary: 'Makes a thing' } } },
  });
  expect(Object.keys(answer.json().paths)).toEqual(['/v1/api/things/create']);
});

it.each(['/v1/api/docs', '/v1/api/docs/', '/v1/api/docs?x=1'])(
  'shows the page at %s, without a redirect',
  async (url) => {
    const page = await app.inject({ url });
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    // From the root, so that they are right with and without a slash behind the page's own path.
    expect(page.body).toContain('src="/v1/api/docs/js/scalar.js"');
    expect(page.body).toContain('"/v1/api/docs/openapi.json"');
  },
);

it('has the script of the page', async () => {
  const script = await app.inject({ url: '/v1/api/docs/js/scalar.js' });
  expect([script.statusCode, script.headers['content-type']]).toEqual([200, expect.stringMatching(/javascript/)]);
  expect(script.rawPayload.length).toBe(Number(script.headers['content-length']));
  expect(script.rawPayload.length).toBeGreaterThan(1_000_000);
});

it('has the document as YAML, too', async () => {
  const answer = await app.inject({ url: '/v1/api/docs/openapi.yaml' });
  expect(answer.headers['content-type']).toMatch(/^application\/yaml/);
  expect(answer.body).toMatch(/^openapi: "?3\.1\.0"?$/m);
});

it('knows no other pages', async () => {
  expect((await app.inject({ url: '/v1/api/docs/nothing' })).statusCode).toBe(404);
});
