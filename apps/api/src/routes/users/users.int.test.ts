import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi();
});

afterAll(() => api.close());

const adminPath = '/auth/admin/realms/master/users';

test('everybody can look users up: all of them, by id, by e-mail, by workspace', async () => {
  const all = (await api.send('ada', { method: 'POST', url: '/v1/api/users/query', payload: '{}' })).json().users;
  expect(Object.keys(all)).toEqual(expect.arrayContaining(['ada', 'bob', 'root']));
  expect(all.bob).toMatchObject({
    id: 'bob',
    username: 'bob@example.org',
    email: 'bob@example.org',
    enabled: true,
    createdTimestamp: expect.any(Number),
    lastLogin: null,
  });
  expect(JSON.stringify(all)).not.toMatch(/password/i);
  const some = await api.post('ada', '/v1/api/users/query', { user_ids: ['bob', 'nobody', 'a\0b'] });
  expect(Object.keys(some.json().users)).toEqual(['bob']);
  const { workspace_id: id } = (await api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'q' })).json();
  const members = await api.post('ada', '/v1/api/users/query', { workspace_id: id });
  expect(Object.keys(members.json().users)).toEqual(['ada']);
  const foreign = await api.post('bob', '/v1/api/users/query', { workspace_id: id });
  const unknown = await api.post('bob', '/v1/api/users/query', { workspace_id: 999 });
  expect(foreign.statusCode).toBe(404);
  expect(foreign.json().msg.replace(String(id), '')).toBe(unknown.json().msg.replace('999', ''));

  const byEmail = (email: string) => api.send('ada', { method: 'GET', url: `${adminPath}?email=${email}` });
  expect((await byEmail('BOB%40example.org')).json()).toMatchObject([{ id: 'bob' }]);
  expect((await byEmail('nobody%40example.org')).json()).toEqual([]);
  expect((await byEmail('%00')).json()).toEqual([]);
  expect((await api.send('ada', { method: 'GET', url: `${adminPath}/bob` })).json()).toMatchObject({ id: 'bob' });
  expect((await api.send('ada', { method: 'GET', url: `${adminPath}/nobody` })).statusCode).toBe(404);
  expect((await api.send('ada', { method: 'GET', url: `${adminPath}/%00` })).statusCode).toBe(404);
});

test('an administrator invites users, with a password or with one that is told once', async () => {
  const invite = (body: object, user = 'root') => api.post(user, '/v1/api/users/invite', body);
  const chosen = await invite({ email: ' Eve@Example.org ', password: 'a good password' });
  expect(chosen.json()).toEqual({ id: expect.any(String), email: 'eve@example.org' });
  const logIn = { username: 'EVE@example.org', password: 'a good password', address: '::1' };
  expect(await api.services.users.logIn(logIn)).toMatchObject({ id: chosen.json().id, isAdmin: false });
  const generated = await invite({ email: 'mallory@example.org', password: null });
  const password = generated.json().password as string;
  expect(password.length).toBeGreaterThanOrEqual(20);
  const mallory = { username: 'mallory@example.org', password, address: '::1' };
  expect(await api.services.users.logIn(mallory)).toMatchObject({ email: 'mallory@example.org' });

  expect((await invite({ email: 'eve@example.org' })).statusCode).toBe(409);
  expect((await invite({ email: 'frank@example.org' }, 'ada')).statusCode).toBe(403);
  expect((await invite({ email: 'not an address' })).statusCode).toBe(400);
  expect((await invite({ email: 'a\0@example.org' })).statusCode).toBe(400);
  expect((await invite({ email: 'frank@example.org', password: 'short' })).statusCode).toBe(400);
  expect((await invite({ email: 'frank@example.org', password: 'x'.repeat(1025) })).statusCode).toBe(400);
  expect((await invite({ email: 'frank@example.org', password: 12345678 })).statusCode).toBe(400);
});

test('an administrator activates and deactivates users by the REST routes and by the admin path of the SDKs', async () => {
  const isEnabled = async () => (await api.send('ada', { method: 'GET', url: `${adminPath}/bob` })).json().enabled;
  const body = { email: 'bob@example.org' };
  expect((await api.post('ada', '/v1/api/users/deactivate', body)).statusCode).toBe(403);
  expect((await api.post('root', '/v1/api/users/deactivate', body)).json()).toEqual({});
  expect(await isEnabled()).toBe(false);
  expect((await api.post('root', '/v1/api/users/activate', body)).json()).toEqual({});
  expect(await isEnabled()).toBe(true);

  const record = (await api.send('root', { method: 'GET', url: `${adminPath}/bob` })).json();
  const put = (user: string, id: string, changes: object) =>
    api.send(user, { method: 'PUT', url: `${adminPath}/${id}`, payload: { ...record, ...changes } });
  expect((await put('root', 'bob', { enabled: false, realmRoles: ['admin'], id: 'root' })).statusCode).toBe(204);
  expect(await isEnabled()).toBe(false);
  expect((await api.send('ada', { method: 'GET', url: `${adminPath}/bob` })).json().realmRoles).toEqual([]);
  expect((await put('root', 'bob', { enabled: true, firstName: 'Bob' })).statusCode).toBe(204);
  expect((await api.send('ada', { method: 'GET', url: `${adminPath}/bob` })).json()).toMatchObject({
    enabled: true,
    firstName: 'Bob',
  });
  expect((await put('ada', 'bob', { enabled: false })).statusCode).toBe(403);
  expect((await put('root', 'nobody', { enabled: false })).statusCode).toBe(404);
  expect((await put('root', 'bob', { enabled: 'no' })).statusCode).toBe(400);
  expect((await api.post('root', '/v1/api/users/deactivate', { email: 'nobody@example.org' })).statusCode).toBe(404);
});

test('an administrator cannot lock themselves out', async () => {
  const reply = await api.post('root', '/v1/api/users/deactivate', { email: 'root@example.org' });
  expect(reply.statusCode).toBe(409);
});

test('the first user is an administrator with a random password, and is made once', async () => {
  await api.database.pool.query('TRUNCATE users CASCADE');
  const made = await api.services.users.ensureFirstUser({ email: 'Admin@Example.org' });
  expect(made).toEqual({ email: 'admin@example.org', password: expect.any(String) });
  const logIn = { username: made.email, password: made.password as string, address: '::1' };
  expect(await api.services.users.logIn(logIn)).toMatchObject({ isAdmin: true });
  expect(await api.services.users.ensureFirstUser({ email: 'other@example.org' })).toEqual({
    email: 'admin@example.org',
    password: null,
  });
});
