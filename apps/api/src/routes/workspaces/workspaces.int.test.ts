import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi();
});

afterAll(() => api.close());

test('a created workspace is listed, and its name cannot be taken twice', async () => {
  const create = () => api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'lab' });
  const first = await create();
  expect(first.statusCode).toBe(200);
  const listed = await api.post('ada', '//v1/api/workspaces/list', {});
  expect(listed.json().workspaces).toMatchObject([
    { id: first.json().workspace_id, name: 'lab', models: [], pipelines: [] },
  ]);
  const second = await create();
  expect(second.statusCode).toBe(409);
  expect(second.json()).toMatchObject({ code: 409, error: 'conflict', msg: expect.stringContaining('"lab"') });
});
