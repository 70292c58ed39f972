import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimsOf, createTestIdentity, password, type TestIdentity } from '../../identity/identity-test-bench.ts';

let identity: TestIdentity;
let grace: string;
let linus: string;

beforeAll(async () => {
  identity = await createTestIdentity();
  grace = (await identity.logIn('grace@example.org', password)).json().access_token;
  linus = (await identity.logIn('linus@example.org', password)).json().access_token;
});

afterAll(() => identity.close());

async function createClient(name: string) {
  const reply = await identity.call(grace, '/v1/api/clients/create', { name });
  expect(reply.statusCode).toBe(200);
  return reply.json() as { client_id: string; client_secret: string };
}

function basic(id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

test('a client gets tokens for itself that act with the rights of the user who made it', async () => {
  const client = await createClient('nightly');
  const fields = { grant_type: 'client_credentials' };
  for (const reply of [
    await identity.form('/token', fields, basic(client.client_id, client.client_secret)),
    await identity.form('/token', { ...fields, ...client }),
  ]) {
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({ token_type: 'Bearer', expires_in: 3600, refresh_expires_in: 0 });
    expect(claimsOf(reply.json().access_token)).toMatchObject({ azp: client.client_id, email: 'grace@example.org' });
    const name = `lab-${reply.json().access_token.slice(-8)}`;
    const created = await identity.call(reply.json().access_token, '/v1/api/workspaces/create', {
      workspace_name: name,
    });
    expect(created.statusCode).toBe(200);
    const mine = (await identity.call(grace, '/v1/api/workspaces/list')).json().workspaces;
    expect(mine.map((workspace: { name: string }) => workspace.name)).toContain(name);
  }
});

test('a client logs users in by their passwords, and refreshes', async () => {
  const client = await createClient('portal');
  const headers = basic(client.client_id, client.client_secret);
  const fields = { grant_type: 'password', username: 'linus@example.org', password };
  const reply = await identity.form('/token', fields, headers);
  expect(reply.statusCode).toBe(200);
  expect(claimsOf(reply.json().access_token)).toMatchObject({ azp: client.client_id, email: 'linus@example.org' });
  const refresh = { grant_type: 'refresh_token', refresh_token: reply.json().refresh_token };
  expect((await identity.form('/token', refresh, headers)).statusCode).toBe(200);
  // Somebody else's refresh token is no use to the public client.
  const stolen = await identity.form('/token', { ...refresh, client_id: 'sdk-client' });
  expect(stolen.json()).toMatchObject({ error: 'invalid_grant' });
});

test.each([
  ['a wrong secret', (id: string) => basic(id, 'wrong')],
  ['an unknown client', () => basic('client-unknown', 'wrong')],
  ['a name with a NUL', () => basic('client%00', 'wrong')],
  ['the digest of the secret', (id: string, digest: string) => basic(id, digest)],
])('%s gets no token', async (_, headersOf) => {
  const client = await createClient('wrong');
  const { rows } = await identity.database.pool.query('SELECT secret_hash FROM api_clients WHERE id = $1', [
    client.client_id,
  ]);
  const headers = headersOf(client.client_id, rows[0].secret_hash);
  const reply = await identity.form('/token', { grant_type: 'client_credentials' }, headers);
  expect(reply.statusCode).toBeGreaterThanOrEqual(400);
  expect(reply.statusCode).toBeLessThan(500);
  expect(reply.json()).not.toHaveProperty('access_token');
});

test('the public client gets no token for itself', async () => {
  const reply = await identity.form('/token', { grant_type: 'client_credentials', client_id: 'sdk-client' });
  expect(reply.statusCode).toBe(400);
});

test('clients are seen and deleted by their user only, and their secrets are told once', async () => {
  const client = await createClient('mine');
  const list = async (token: string) => (await identity.call(token, '/v1/api/clients/list')).json().clients;
  const mine = await list(grace);
  expect(mine).toContainEqual({ client_id: client.client_id, name: 'mine', created_at: expect.any(String) });
  expect(JSON.stringify(mine)).not.toContain(client.client_secret);
  expect(await list(linus)).toEqual([]);

  const remove = (token: string, id: string) => identity.call(token, '/v1/api/clients/delete', { client_id: id });
  const foreign = await remove(linus, client.client_id);
  const unknown = await remove(linus, 'client-000');
  expect(foreign.statusCode).toBe(404);
  expect(foreign.json().msg.replace(client.client_id, '')).toBe(unknown.json().msg.replace('client-000', ''));
  const headers = basic(client.client_id, client.client_secret);
  expect((await identity.form('/token', { grant_type: 'client_credentials' }, headers)).statusCode).toBe(200);
  expect((await remove(grace, client.client_id)).statusCode).toBe(200);
  expect((await identity.form('/token', { grant_type: 'client_credentials' }, headers)).statusCode).toBe(401);
});

test('a client of a deactivated user gets no token', async () => {
  const client = await createClient('orphan');
  const headers = basic(client.client_id, client.client_secret);
  await identity.database.pool.query("UPDATE users SET is_enabled = false WHERE email = 'grace@example.org'");
  const reply = await identity.form('/token', { grant_type: 'client_credentials' }, headers);
  await identity.database.pool.query("UPDATE users SET is_enabled = true WHERE email = 'grace@example.org'");
  expect(reply.statusCode).toBe(401);
});
