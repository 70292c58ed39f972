import { createHash } from 'node:crypto';
import { internalKey } from '@pademelon/runtime';
import { sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';

const model = sumModel();
const sha = createHash('sha256').update(model).digest('hex');
let api: TestApi;

beforeAll(async () => {
  api = await createTestApi();
  const { workspace_id } = (await api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'lab' })).json();
  const url = `/v1/api/models/upload_stream?filename=m.onnx&name=m&workspace_id=${workspace_id}`;
  expect((await api.send('ada', { method: 'POST', url, payload: model })).statusCode).toBe(200);
});
afterAll(() => api.close());

function get(name: string, authorization: string | undefined = `Bearer ${internalKey(api.secretKey)}`) {
  const headers = authorization === '' ? {} : { authorization };
  return api.app.inject({ method: 'GET', url: `/internal/artifacts/${name}`, headers });
}

test('a host with the internal key gets the file as it was uploaded', async () => {
  const reply = await get(sha);
  expect(reply.statusCode).toBe(200);
  expect(reply.headers['content-length']).toBe(`${model.length}`);
  expect(reply.rawPayload).toEqual(model);
});

test.each(['', 'Bearer ada', 'Bearer', 'Bearer wrong'])('nobody else does: %j', async (authorization) => {
  expect((await get(sha, authorization)).json()).toMatchObject({ code: 401, error: 'unauthenticated' });
  expect((await get('0'.repeat(64), authorization)).statusCode).toBe(401);
});

test.each(['0'.repeat(64), sha.toUpperCase(), 'incoming', '..%2f..%2fsecret.key', '%00'])(
  'what is no artifact is not there: %s',
  async (name) => {
    expect((await get(name)).statusCode).toBe(404);
  },
);

test('the path is not part of the API that is described', async () => {
  await api.app.ready();
  const { paths } = api.app.swagger() as { paths: Record<string, unknown> };
  expect(Object.keys(paths).filter((path) => path.startsWith('/internal'))).toEqual([]);
  expect(paths).toHaveProperty(['/v1/api/models/upload']);
});
