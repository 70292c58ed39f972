import { PgRunSurroundings } from '@pademelon/database/sql';
import { readSealingKeys } from '@pademelon/runtime';
import type { TestDatabase } from '@pademelon/testing';
import { EnvelopeVault } from '@pademelon/tokens';
import { expect, onTestFinished, test } from 'vitest';
import { createTestIdentity, password, type TestIdentity } from '../../identity/identity-test-bench.ts';

// The procedures of docs/operations.md ("Replacing keys"), each step of which is a restart with other settings.

type Settings = Readonly<Record<string, string>>;

const [a, b] = [`a:${'aa'.repeat(32)}`, `b:${'bb'.repeat(32)}`];
const [oldSecret, newSecret] = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)];

interface Platform {
  readonly api: TestIdentity;
  readonly database: TestDatabase;
  /** The administrator's tokens. */
  readonly token: string;
  readonly refreshToken: string;
  call(url: string, body?: object): ReturnType<TestIdentity['call']>;
  /** Resolves to what every connection's details are for the API (or its status), and for a worker, by name. */
  readAll(): Promise<{ api: Record<string, unknown>; worker: Record<string, unknown> }>;
}

/** The API and a worker with these settings, on the database of the platform before. */
async function start(env: Settings, secretKey: Buffer, before?: Platform): Promise<Platform> {
  const api = await createTestIdentity({ env, secretKey, ...(before && { database: before.database }) });
  onTestFinished(() => api.close());
  // Each start listens to the one pool.
  api.database.pool.setMaxListeners(0);
  const { access_token: token, refresh_token: refreshToken } = (await api.logIn('linus@example.org', password)).json();
  const call: Platform['call'] = (url, body) => api.call(token, url, body);
  const { database } = api;
  const worker = new PgRunSurroundings({
    pool: database.pool,
    vault: new EnvelopeVault(readSealingKeys(env, secretKey)),
    tokens: { sign: () => Promise.reject(new Error('not asked for')) },
    onTampered: () => undefined,
  });
  const readAll = async () => {
    const { rows } = await database.pool.query('SELECT name FROM connections ORDER BY name');
    const read: Record<string, unknown> = {};
    for (const { name } of rows) {
      const answer = await call('/v1/api/connections/get', { name });
      read[name] = answer.statusCode === 200 ? answer.json().details : answer.statusCode;
    }
    const listed = await worker.listConnections(1);
    return { api: read, worker: Object.fromEntries(listed.map(({ name, details }) => [name, details])) };
  };
  return { api, database, token, refreshToken, call, readAll };
}

/** Linked to the workspace 1, which the worker is asked of. */
async function connect(platform: Platform, name: string): Promise<void> {
  await platform.call('/v1/api/workspaces/create', { workspace_name: 'lab' });
  const made = await platform.call('/v1/api/connections/create', { name, type: 'X', details: { password: name } });
  const link = { workspace_id: 1, connection_id: made.json().id };
  expect((await platform.call('/v1/api/connections/add_to_workspace', link)).statusCode).toBe(200);
}

const rotate = async (platform: Platform) => (await platform.call('/v1/api/admin/rotate_connection_keys')).json();

/** As the API and the worker are to read it. */
function readable(...names: string[]) {
  const details = Object.fromEntries(names.map((name) => [name, { password: name }]));
  return { api: details, worker: details };
}

test('after a rotation the key before can be dropped, be it derived or listed', async () => {
  const derived = await start({}, oldSecret);
  await connect(derived, 'one');

  const listed = await start({ PADEMELON_SEALING_KEYS: a }, oldSecret, derived);
  await connect(listed, 'two');
  expect(await listed.readAll()).toEqual(readable('one', 'two'));
  expect(await rotate(listed)).toEqual({ key_id: 'a', rewrapped: 1, failed: [] });

  const both = await start({ PADEMELON_SEALING_KEYS: `${b},${a}` }, oldSecret, listed);
  await connect(both, 'three');
  expect(await both.readAll()).toEqual(readable('one', 'two', 'three'));

  // Dropped too early, the old key is missed, and nothing is lost.
  const early = await start({ PADEMELON_SEALING_KEYS: b }, oldSecret, both);
  expect(await early.readAll()).toEqual({
    api: { one: 500, two: 500, three: { password: 'three' } },
    worker: { three: { password: 'three' } },
  });
  expect(await rotate(early)).toMatchObject({ rewrapped: 0, failed: [expect.any(String), expect.any(String)] });

  expect(await rotate(both)).toEqual({ key_id: 'b', rewrapped: 2, failed: [] });
  const after = await start({ PADEMELON_SEALING_KEYS: b }, oldSecret, both);
  expect(await after.readAll()).toEqual(readable('one', 'two', 'three'));
});

test('the secret key itself is replaced while the old one is named, and then the old one is of no use', async () => {
  const before = await start({}, oldSecret);
  await connect(before, 'one');
  await connect(before, 'two');

  // Without the old key nothing starts, before anything is sealed with a key that was only a slip.
  await expect(start({}, newSecret, before)).rejects.toThrow('PADEMELON_OLD_SECRET_KEY');

  const during = await start({ PADEMELON_OLD_SECRET_KEY: oldSecret.toString('hex') }, newSecret, before);
  const status = async (token: string) => (await during.api.call(token, '/v1/api/workspaces/list')).statusCode;
  expect([await status(before.token), await status(during.token)]).toEqual([401, 200]);
  const refresh = { client_id: 'sdk-client', grant_type: 'refresh_token', refresh_token: before.refreshToken };
  expect(await status((await during.api.form('/token', refresh)).json().access_token)).toBe(200);
  expect(await during.readAll()).toEqual(readable('one', 'two'));
  expect(await rotate(during)).toEqual({ key_id: expect.stringMatching(/^platform-/), rewrapped: 2, failed: [] });

  const after = await start({}, newSecret, during);
  expect(await after.readAll()).toEqual(readable('one', 'two'));
  await expect(start({}, oldSecret, after)).rejects.toThrow('does not open');
});

test('details that were sealed before ids told of which secret are read and rotated, also to a new secret', async () => {
  const before = await start({}, oldSecret);
  await connect(before, 'one');
  const { rows } = await before.database.pool.query('SELECT id FROM connections');
  const nameless = readSealingKeys({}, oldSecret).filter(({ id }) => id === 'platform');
  const sealed = new EnvelopeVault(nameless).seal(rows[0].id, { password: 'one' });
  const write = [sealed.keyId, sealed.bytes];
  await before.database.pool.query('UPDATE connections SET key_id = $1, sealed_details = $2', write);
  expect(await before.readAll()).toEqual(readable('one'));

  const during = await start({ PADEMELON_OLD_SECRET_KEY: oldSecret.toString('hex') }, newSecret, before);
  expect(await rotate(during)).toMatchObject({ rewrapped: 1, failed: [] });
  const after = await start({}, newSecret, during);
  expect(await after.readAll()).toEqual(readable('one'));
});
