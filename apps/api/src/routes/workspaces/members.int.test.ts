import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';

let api: TestApi;
let workspaceId: number;
let count = 0;

beforeAll(async () => {
  api = await createTestApi();
});

beforeEach(async () => {
  count += 1;
  const reply = await api.post('ada', '/v1/api/workspaces/create', { workspace_name: `lab-${count}` });
  workspaceId = reply.json().workspace_id;
});

afterAll(() => api.close());

async function members(user = 'ada'): Promise<unknown> {
  return (await api.post(user, '/v1/api/workspaces/list_users', { workspace_id: workspaceId })).json().users;
}

function add(user: string, body: object) {
  return api.post(user, '/v1/api/workspaces/add_user', { workspace_id: workspaceId, ...body });
}

function remove(user: string, body: object) {
  return api.post(user, '/v1/api/workspaces/remove_user', { workspace_id: workspaceId, ...body });
}

test('an owner adds a member as the SDKs do: JSON without a Content-Type', async () => {
  const body = {
    email: 'bob@example.org',
    workspace_id: workspaceId,
    user_id: 'bob',
    url: 'http://localhost:3000',
    user_type: 'collaborator',
  };
  const reply = await api.app.inject({
    method: 'POST',
    url: '/v1/api/workspaces/add_user',
    headers: { authorization: 'Bearer ada' },
    payload: Buffer.from(JSON.stringify(body)),
  });
  expect(reply.statusCode).toBe(200);
  expect(await members('bob')).toEqual([
    { user_id: 'ada', user_type: 'OWNER' },
    { user_id: 'bob', user_type: 'COLLABORATOR' },
  ]);
});

test('a member is named by e-mail alone, and added again with another role', async () => {
  expect((await add('ada', { email: 'BOB@example.org' })).json()).toEqual({});
  expect(await members()).toContainEqual({ user_id: 'bob', user_type: 'COLLABORATOR' });
  expect((await add('ada', { email: 'bob@example.org', user_type: 'Owner' })).statusCode).toBe(200);
  expect(await members()).toContainEqual({ user_id: 'bob', user_type: 'OWNER' });
});

test('only owners add and remove others; everybody may leave', async () => {
  await add('ada', { email: 'bob@example.org' });
  expect((await add('bob', { email: 'root@example.org' })).statusCode).toBe(403);
  await add('ada', { email: 'root@example.org' });
  expect((await remove('bob', { email: 'root@example.org' })).statusCode).toBe(403);
  expect((await remove('bob', { email: 'bob@example.org' })).json()).toEqual({ affected_rows: 1 });
  expect((await remove('ada', { email: 'bob@example.org' })).json()).toEqual({ affected_rows: 0 });
  expect((await remove('ada', { user_id: 'root' })).json()).toEqual({ affected_rows: 1 });
  expect(await members()).toEqual([{ user_id: 'ada', user_type: 'OWNER' }]);
});

test('a workspace keeps an owner, even when two leave at once', async () => {
  expect((await remove('ada', { email: 'ada@example.org' })).statusCode).toBe(409);
  expect((await add('ada', { email: 'ada@example.org', user_type: 'collaborator' })).statusCode).toBe(409);
  await add('ada', { email: 'bob@example.org', user_type: 'owner' });
  const left = await Promise.all([
    remove('ada', { email: 'ada@example.org' }),
    remove('bob', { email: 'bob@example.org' }),
  ]);
  expect(left.map((reply) => reply.statusCode).sort()).toEqual([200, 409]);
});

test.each([
  ['a user that does not exist', { email: 'nobody@example.org' }, 404],
  ['a user id that does not exist', { user_id: 'nobody' }, 404],
  ['a user id with a NUL', { user_id: 'a\0' }, 404],
  ['no user', {}, 400],
  ['a role that does not exist', { email: 'bob@example.org', user_type: 'admin' }, 400],
])('%s cannot be added', async (_, body, status) => {
  expect((await add('ada', body)).statusCode).toBe(status);
});

test.each([
  ['add_user', { email: 'bob@example.org' }],
  ['list_users', {}],
  ['remove_user', { email: 'ada@example.org' }],
])('%s of a workspace that the caller is not in is answered as one that does not exist', async (verb, body) => {
  const ask = (id: number) => api.post('bob', `/v1/api/workspaces/${verb}`, { ...body, workspace_id: id });
  const foreign = await ask(workspaceId);
  for (const id of [987_654, 0, -1, 2 ** 40]) {
    const unknown = await ask(id);
    expect(foreign.statusCode).toBe(404);
    expect(unknown.statusCode).toBe(404);
    expect(foreign.json().msg.replace(String(workspaceId), '')).toBe(unknown.json().msg.replace(String(id), ''));
  }
});
