import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { createWorkspace } from '../../test-orchestration.ts';

const details = { host: 'db.example.org', password: 'correct-horse-battery', nested: { list: [1, null, 'é'] } };

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const call = (user: string, verb: string, body: object) => api.post(user, `/v1/api/connections/${verb}`, body);

/** A connection of ada's, linked to a workspace of hers. */
async function setup(connectionDetails: object | null = details, type = 'CUSTOM') {
  const name = `connection-${randomUUID().slice(0, 8)}`;
  const workspaceId = await createWorkspace(api, 'ada', `lab-${name}`);
  const created = await call('ada', 'create', { name, type, details: connectionDetails });
  expect(created.statusCode, created.body).toBe(200);
  const { id } = created.json();
  await call('ada', 'add_to_workspace', { workspace_id: workspaceId, connection_id: id });
  return { id, name, workspaceId, lab: `lab-${name}` };
}

async function addBob(workspaceId: number): Promise<void> {
  await api.post('ada', '/v1/api/workspaces/add_user', { workspace_id: workspaceId, email: 'bob@example.org' });
}

test('details come back in clear to who made it, by name and by id, and in no list', async () => {
  const { id, name, workspaceId, lab } = await setup();
  const byName = await call('ada', 'get', { name });
  expect(byName.json()).toEqual({
    id,
    name,
    type: 'CUSTOM',
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    workspace_names: [lab],
    details,
  });
  expect((await call('ada', 'get_by_id', { id })).json()).toEqual(byName.json());
  for (const body of [{}, { workspace_id: workspaceId }]) {
    const listed = await call('ada', 'list', body);
    const { details: _details, ...head } = byName.json();
    expect(listed.json().connections).toContainEqual(head);
    expect(listed.body).not.toContain('correct-horse');
  }
});

test('a connection without details has none', async () => {
  const { id } = await setup(null);
  expect((await call('ada', 'get_by_id', { id })).json().details).toBeNull();
});

test('a member of a linked workspace reads the details until the link, or the membership, is gone', async () => {
  const { id, name, workspaceId } = await setup();
  const foreign = await call('bob', 'get', { name });
  expect(foreign.statusCode).toBe(404);
  expect(foreign.json()).toMatchObject({ code: 404, error: 'not_found', msg: expect.any(String) });
  await addBob(workspaceId);
  expect((await call('bob', 'get', { name })).json().details).toEqual(details);
  const unlinked = await call('ada', 'remove_from_workspace', { workspace_id: workspaceId, connection_id: id });
  expect([unlinked.statusCode, unlinked.body]).toEqual([204, '']);
  expect((await call('bob', 'get', { name })).statusCode).toBe(404);
  await call('ada', 'add_to_workspace', { workspace_id: workspaceId, connection_id: id });
  await api.post('ada', '/v1/api/workspaces/remove_user', { workspace_id: workspaceId, email: 'bob@example.org' });
  expect((await call('bob', 'get', { name })).statusCode).toBe(404);
});

test('only workspaces that the reader is in are named', async () => {
  const { id, name, workspaceId } = await setup();
  const secret = await createWorkspace(api, 'ada', `secret-${name}`);
  await call('ada', 'add_to_workspace', { workspace_id: secret, connection_id: id });
  await addBob(workspaceId);
  expect((await call('bob', 'get', { name })).json().workspace_names).toEqual([`lab-${name}`]);
});

test('a name is taken for everybody, and free again after its connection was deleted by who made it', async () => {
  const { name, workspaceId } = await setup();
  const taken = await call('bob', 'create', { name, type: 'X', details: {} });
  expect(taken.statusCode).toBe(409);
  expect(taken.json()).toMatchObject({ code: 409, error: 'conflict', msg: expect.stringContaining(name) });
  await addBob(workspaceId);
  expect((await call('bob', 'delete', { name })).statusCode).toBe(403);
  const deleted = await call('ada', 'delete', { name });
  expect([deleted.statusCode, deleted.body]).toEqual([204, '']);
  expect((await call('ada', 'get', { name })).statusCode).toBe(404);
  expect((await call('bob', 'create', { name, type: 'X', details: {} })).statusCode).toBe(200);
});

test('an administrator deletes what they cannot read', async () => {
  const { name } = await setup();
  expect((await call('root', 'get', { name })).statusCode).toBe(404);
  expect((await call('root', 'delete', { name })).statusCode).toBe(204);
});

test('what is in the database tells nothing, and opens nowhere else and not when it was changed', async () => {
  const { id, name } = await setup();
  const other = await setup({ ...details, password: 'another' });
  const read = async (row: string) =>
    (await api.database.pool.query('SELECT sealed_details, key_id FROM connections WHERE id = $1', [row])).rows[0];
  const write = (row: string, bytes: Buffer) =>
    api.database.pool.query('UPDATE connections SET sealed_details = $2 WHERE id = $1', [row, bytes]);
  const { sealed_details: bytes } = await read(id);
  expect(bytes.includes('horse')).toBe(false);
  const flipped = Buffer.from(bytes);
  flipped[flipped.length - 1]! ^= 1;
  for (const forged of [(await read(other.id)).sealed_details, flipped]) {
    await write(id, forged);
    const refused = await call('ada', 'get', { name });
    expect(refused.statusCode).toBe(500);
    expect(refused.body).not.toMatch(/horse|another|aes|auth/i);
  }
  await write(id, bytes);
  expect((await call('ada', 'get', { name })).json().details).toEqual(details);
});

test.each([
  ['an empty name', { name: ' ', type: 'X' }],
  ['a name with a control character', { name: 'a\u0000b', type: 'X' }],
  ['a long name', { name: 'x'.repeat(256), type: 'X' }],
  ['no type', { name: 'no-type' }],
  ['details that are a list', { name: 'list', type: 'X', details: [1] }],
  ['details nested too deep', { name: 'deep', type: 'X', details: deep(40) }],
  ['a port that is none', { name: 'port', type: 'POSTGRES', details: { host: 'h', port: 70_000 } }],
  ['a URL of another protocol', { name: 'gopher', type: 'HTTP', details: { url: 'gopher://example.org/secret-path' } }],
  ['a file URL', { name: 'file', type: 'BIGQUERY', details: { api_endpoint: 'file:///etc/passwd' } }],
])('%s is refused, and nothing is quoted from the details', async (_what, body) => {
  const refused = await call('ada', 'create', body);
  expect(refused.statusCode).toBe(400);
  expect(refused.json()).toMatchObject({ code: 400, error: 'invalid_input' });
  expect(refused.body).not.toMatch(/secret-path|passwd/);
});

test('details that are too long are refused', async () => {
  const refused = await call('ada', 'create', { name: 'long', type: 'X', details: { text: 'x'.repeat(70_000) } });
  expect(refused.statusCode).toBe(413);
});

test('fields that a caller may not decide are not taken', async () => {
  const name = `mass-${randomUUID()}`;
  await call('ada', 'create', { name, type: 'X', details: {}, created_by_id: 'bob', id: randomUUID(), key_id: 'k' });
  expect((await call('bob', 'get', { name })).statusCode).toBe(404);
  expect((await call('ada', 'get', { name })).statusCode).toBe(200);
});

test('a test of a connection that leads to this machine is blocked, and one of an unknown type is no test', async () => {
  const { name } = await setup({ host: 'http://127.0.0.1:1/' }, 'HTTP');
  const blocked = await call('ada', 'test', { name });
  expect(blocked.json()).toMatchObject({ ok: false, outcome: 'blocked', elapsed_ms: expect.any(Number) });
  const unknown = await setup();
  expect((await call('ada', 'test', { id: unknown.id })).json()).toMatchObject({ ok: false, outcome: 'unsupported' });
  expect((await call('ada', 'test', {})).statusCode).toBe(400);
});

test('only an administrator rotates keys', async () => {
  const rotate = (user: string) => api.post(user, '/v1/api/admin/rotate_connection_keys', {});
  expect((await rotate('ada')).statusCode).toBe(403);
  expect((await rotate('root')).json()).toEqual({
    key_id: expect.stringMatching(/^platform-/),
    rewrapped: 0,
    failed: [],
  });
});

function deep(levels: number): object {
  let value: object = {};
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}
