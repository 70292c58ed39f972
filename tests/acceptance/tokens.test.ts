import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { logIn, type RestClient, restClient } from './support/rest-client.ts';
import { createWorkspace, uniqueName } from './support/rest-flow.ts';

const platform = inject('platform');
let client: RestClient;
let forgeries: Record<string, string>;

beforeAll(async () => {
  client = await logIn(platform);
  forgeries = forgeTokens(client.token);
});

/** Tokens that must be refused: nothing, text, no signature, another key, an altered payload, a stretched life. */
function forgeTokens(token: string): Record<string, string> {
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const admin = encode({ ...claims, sub: '00000000-0000-4000-8000-000000000000' });
  const hs256 = encode({ alg: 'HS256', typ: 'JWT' });
  return {
    none: '',
    garbage: 'garbage',
    'three words': 'a.b.c',
    unsigned: `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'unsigned with a signature': `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.${signature}`,
    'signed with a guessed secret': `${hs256}.${payload}.${createHmac('sha256', 'secret').update(`${hs256}.${payload}`).digest('base64url')}`,
    'another subject': `${header}.${admin}.${signature}`,
    'a longer life': `${header}.${encode({ ...claims, exp: claims.exp + 1e6 })}.${signature}`,
    'a cut signature': `${header}.${payload}.${signature.slice(0, -6)}`,
  };
}

/** Every path that the product documents, and those that it serves beside its API. */
async function listProtectedPaths(): Promise<{ method: string; path: string }[]> {
  const answer = await restClient(platform.url, '').send('/v1/api/docs/openapi.json', { method: 'GET' });
  const document = JSON.parse(answer.text) as { paths: Record<string, Record<string, { security?: unknown[] }>> };
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { security }]) => security === undefined || security.length > 0)
      .map(([method]) => ({ method: method.toUpperCase(), path: path.replace(/\{[^}]+\}/g, 'x-1') })),
  );
  return [
    ...documented.filter(({ path }) => !isPublic(path)),
    { method: 'POST', path: '/v1/graphql' },
    { method: 'POST', path: '/v1/api/pipelines/infer/pipeline-1/pipeline' },
    { method: 'POST', path: '/v1/logs/topic/some-topic/records' },
    { method: 'GET', path: '/v1/logs/topic/some-topic' },
    { method: 'GET', path: '/auth/admin/realms/master/users?email=a@example.org' },
    { method: 'POST', path: '//v1/api/workspaces/list' },
    { method: 'POST', path: '/v1/api/workspaces/list/' },
    { method: 'POST', path: '/v1/api/workspaces%2Flist' },
  ];
}

const isPublic = (path: string) =>
  /^\/(healthz|readyz|metrics|v1\/api\/(config|docs)|auth\/realms)/.test(path) || path === '/';

describe('Forged tokens', () => {
  it('are refused with 401 on every path', { timeout: 300_000 }, async () => {
    const paths = await listProtectedPaths();
    expect(paths.length).toBeGreaterThan(30);
    const accepted: string[] = [];
    for (const { method, path } of paths) {
      for (const [what, token] of Object.entries(forgeries)) {
        const body = method === 'GET' ? {} : { body: '{}', headers: { 'content-type': 'application/json' } };
        const { status } = await restClient(platform.url, token).send(path, { method, ...body });
        // A path written in an odd way may be unknown, but must not be served.
        if (status !== 401 && !(status === 404 && /%2F|\/$/.test(path))) {
          accepted.push(`${method} ${path} answered ${status} to ${what}`);
        }
      }
    }
    expect(accepted).toEqual([]);
  });

  it('are refused in the shapes that the SDKs parse', async () => {
    const api = await restClient(platform.url, 'garbage').send('/v1/api/workspaces/list', { body: '{}' });
    expect(JSON.parse(api.text)).toMatchObject({ msg: expect.any(String), code: 401, error: expect.any(String) });
    const path = '/v1/api/pipelines/infer/pipeline-1/pipeline';
    const older = await restClient(platform.url, 'garbage').send(path, {
      body: '[]',
      headers: { 'user-agent': 'python-requests/2.25.1' },
    });
    expect(JSON.parse(older.text)).toEqual([{ error: expect.any(String), error_type: expect.any(String) }]);
    const newer = await restClient(platform.url, 'garbage').send(path, { body: '[]' });
    expect(JSON.parse(newer.text)).toMatchObject({ code: 401, error: expect.any(String), source: expect.any(String) });
  });

  it('do not become good by a query parameter, a cookie or another scheme', async () => {
    const carriers = [
      { path: `/v1/api/workspaces/list?access_token=${client.token}`, headers: {} },
      { path: '/v1/api/workspaces/list', headers: { cookie: `token=${client.token}` } },
      { path: '/v1/api/workspaces/list', headers: { authorization: `Basic ${client.token}` } },
    ];
    for (const { path, headers } of carriers) {
      const { status } = await restClient(platform.url, '').send(path, { body: '{}', headers });
      expect(status, `${path} ${JSON.stringify(headers).slice(0, 40)}`).toBe(401);
    }
  });
});

describe('Another user', () => {
  it('gets for foreign ids exactly what unknown ids get', async () => {
    const workspaceId = await createWorkspace(client);
    const pipeline = await client.call('/v1/api/pipelines/create', {
      pipeline_id: uniqueName('secret'),
      workspace_id: workspaceId,
      definition: {},
    });
    const guest = await inviteGuest();
    const unknown = 99_999_999;
    const questions = (workspace: number, pipelinePk: number) => [
      ['/v1/api/models/list', { workspace_id: workspace }],
      ['/v1/api/pipelines/create', { pipeline_id: 'mine', workspace_id: workspace, definition: {} }],
      ['/v1/api/workspaces/list_users', { workspace_id: workspace }],
      ['/v1/api/plateau/get_topic_name', { pipeline_pk_id: pipelinePk }],
      ['/v1/api/pipelines/copy', { name: 'mine', workspace_id: workspace, source_pipeline: pipelinePk }],
      ['/v1/graphql', { query: `{ workspace_by_pk(id: ${workspace}) { id name } }` }],
      ['/v1/graphql', { query: `{ pipeline_by_pk(id: ${pipelinePk}) { id pipeline_id } }` }],
    ];
    const foreign = questions(workspaceId, pipeline.pipeline_pk_id);
    const absent = questions(unknown, unknown);
    for (const [index, [path, body]] of foreign.entries()) {
      const ask = async (question: unknown) => {
        const answer = await guest.send(path as string, {
          body: JSON.stringify(question),
          headers: { 'content-type': 'application/json' },
        });
        return {
          status: answer.status,
          text: withoutTraces(answer.text, [workspaceId, pipeline.pipeline_pk_id, unknown]),
        };
      };
      expect(await ask(body), `${path}`).toEqual(await ask(absent[index]![1]));
    }
  });

  async function inviteGuest(): Promise<RestClient> {
    const username = `${uniqueName('guest')}@example.org`;
    const password = 'correct horse battery staple';
    await client.call('/v1/api/users/invite', { email: username, password });
    return logIn({ url: platform.url, username, password });
  }

  /** Leaves out the request's own id and the number that the caller sent himself. */
  function withoutTraces(text: string, numbers: number[]): string {
    const pattern = new RegExp(`"request_id":"[^"]*"|\\b(${numbers.join('|')})\\b`, 'g');
    return text.replace(pattern, '·');
  }
});
