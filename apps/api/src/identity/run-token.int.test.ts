import { findCurrentAttempts, PgRunStore, PgRunSurroundings, PostgresSigningKeyStore } from '@pademelon/database/sql';
import type { ClaimedRun, HandedOutDetails, RunOutcome } from '@pademelon/domain';
import { deriveKey, readSealingKeys } from '@pademelon/runtime';
import { EnvelopeVault, issuerUrl, RunTokens, SigningKeys } from '@pademelon/tokens';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTestIdentity, password, type TestIdentity } from './identity-test-bench.ts';

// What a worker hands to the code of a run, made as a worker makes it, and what the API lets that code do with it.

const order = { json: {}, name: 'test' };
const failed: RunOutcome = { reason: 'exit_code', text: 'Over.', exitCode: 1 };

let api: TestIdentity;
let store: PgRunStore;
let surroundings: PgRunSurroundings;
let tampered: string[];
beforeAll(async () => {
  api = await createTestIdentity();
  const { pool } = api.database;
  store = new PgRunStore(pool);
  tampered = [];
  surroundings = surroundingsWith(new EnvelopeVault(readSealingKeys({}, api.secretKey)));
});
afterAll(() => api.close());

function surroundingsWith(vault: EnvelopeVault): PgRunSurroundings {
  const { pool } = api.database;
  return new PgRunSurroundings({
    ...{ pool, vault },
    tokens: new RunTokens({
      keys: new SigningKeys({
        store: new PostgresSigningKeyStore(pool),
        sealingKey: deriveKey(api.secretKey, 'signing keys'),
      }),
      issuer: issuerUrl('http://localhost:8080'),
    }),
    onTampered: (id) => tampered.push(id),
  });
}

interface Started {
  readonly own: string;
  readonly workspaceId: number;
  readonly run: ClaimedRun;
  readonly token: string;
}

/** A run of an administrator's, claimed, with the token that its code gets. */
async function startRun(lab: string): Promise<Started> {
  const own: string = (await api.logIn('linus@example.org', password)).json().access_token;
  const call = async (verb: string, body: object) => (await api.call(own, `/v1/api/${verb}`, body)).json();
  const workspaceId: number = (await call('workspaces/create', { workspace_name: lab })).workspace_id;
  const orchestrationId = crypto.randomUUID();
  await api.database.pool.query(
    `INSERT INTO orchestrations (id, workspace_id, file_name, sha, size_bytes, status, created_by_id)
     VALUES ($1, $2, 'a.zip', $3, 1, 'ready', 'x')`,
    [orchestrationId, workspaceId, 'c'.repeat(64)],
  );
  const { id } = await call('task/run_once', { ...order, orch_id: orchestrationId, workspace_id: workspaceId });
  const runId = (await call('task/get_by_id', { id })).last_runs[0].run_id;
  const run = (await store.claim(runId, 'worker', 60_000))!;
  return { own, workspaceId, run, token: await issue(run) };
}

async function issue({ userId, runId, attempt }: ClaimedRun, lifeMs = 60_000): Promise<string> {
  return (await surroundings.issueToken({ userId, runId, attempt, lifeMs }))!.accessToken;
}

const statusOf = async (token: string, url: string, body: object = {}) => (await api.call(token, url, body)).statusCode;
const list = (token: string) => statusOf(token, '/v1/api/workspaces/list');

test('the code of a run sees what its user sees', async () => {
  const { token, workspaceId } = await startRun('lab');
  const listed = (await api.call(token, '/v1/api/workspaces/list')).json();
  expect(listed.workspaces.map(({ id }: { id: number }) => id)).toContain(workspaceId);
});

test('it is no administrator, whoever its user is, and hands no rights on', async () => {
  const { own, token, workspaceId } = await startRun('lab-rights');
  const refused: [string, object][] = [
    ['/v1/api/users/invite', { email: 'new@example.org' }],
    ['/v1/api/users/deactivate', { email: 'grace@example.org' }],
    ['/v1/api/clients/create', { name: 'mine' }],
    ['/v1/api/clients/list', {}],
    ['/v1/api/workspaces/add_user', { workspace_id: workspaceId, email: 'grace@example.org' }],
    ['/v1/api/workspaces/remove_user', { workspace_id: workspaceId, email: 'linus@example.org' }],
    ['/v1/api/admin/rotate_connection_keys', {}],
  ];
  for (const [url, body] of refused) expect([url, await statusOf(token, url, body)]).toEqual([url, 403]);
  expect(await statusOf(own, '/v1/api/users/invite', { email: 'new@example.org' })).toBe(200);
  expect(await statusOf(own, '/v1/api/clients/list')).toBe(200);
});

test('its token is refused soon after the attempt is over, and that of a later attempt is not', async () => {
  const { run, token } = await startRun('lab-end');
  await api.database.pool.query('UPDATE runs SET max_attempts = 2 WHERE id = $1', [run.runId]);
  expect(await list(token)).toBe(200);
  await store.finish(run.lease, { reason: 'worker_lost', text: 'Lost.', exitCode: null });
  await expect.poll(() => list(token), { timeout: 5_000 }).toBe(401);
  await api.database.pool.query('UPDATE runs SET not_before = NULL WHERE id = $1', [run.runId]);
  const second = (await store.claim(run.runId, 'worker', 60_000))!;
  const newer = await issue(second);
  expect(await list(newer)).toBe(200);
  expect(await list(token)).toBe(401);
  await store.finish(second.lease, failed);
  await expect.poll(() => list(newer), { timeout: 5_000 }).toBe(401);
});

test('an attempt is current while its run is claimed or running on that very attempt', async () => {
  const { run } = await startRun('lab-attempts');
  const asked = [1, 2].map((attempt) => ({ runId: run.runId, attempt }));
  const current = () => findCurrentAttempts(api.database.pool, asked);
  expect(await current()).toEqual([asked[0]]);
  await store.markStarted(run.lease, 'jail');
  expect(await current()).toEqual([asked[0]]);
  await api.database.pool.query("UPDATE runs SET state = 'claimed', attempt = 2 WHERE id = $1", [run.runId]);
  expect(await current()).toEqual([asked[1]]);
  for (const state of ['pending', 'success', 'failure', 'killed', 'timed_out']) {
    await api.database.pool.query('UPDATE runs SET state = $2 WHERE id = $1', [run.runId, state]);
    expect(await current()).toEqual([]);
  }
});

test('its token ends with its life, and with its user', async () => {
  const { run } = await startRun('lab-life');
  const short = await issue(run, 1_000);
  expect(await list(short)).toBe(200);
  await expect.poll(() => list(short), { timeout: 5_000 }).toBe(401);
  await api.database.pool.query('UPDATE users SET is_enabled = false WHERE id = $1', [run.userId]);
  const { userId, runId, attempt } = run;
  expect(await surroundings.issueToken({ userId, runId, attempt, lifeMs: 1_000 })).toBeNull();
  await api.database.pool.query('UPDATE users SET is_enabled = true WHERE id = $1', [run.userId]);
});

test('a worker reads the details of the connections that are linked to the workspace, and skips what was tampered with', async () => {
  const { own, workspaceId } = await startRun('lab-connections');
  const create = async (name: string, details: object | null) => {
    const { id } = (await api.call(own, '/v1/api/connections/create', { name, type: 'X', details })).json();
    await api.call(own, '/v1/api/connections/add_to_workspace', { workspace_id: workspaceId, connection_id: id });
    return id as string;
  };
  await create('a-linked', { password: 'secret' });
  await create('b-bare', null);
  const broken = await create('c-broken', { password: 'secret' });
  await api.call(own, '/v1/api/connections/create', { name: 'not-linked', type: 'X', details: {} });
  await api.database.pool.query(
    `UPDATE connections SET sealed_details = (SELECT sealed_details FROM connections WHERE name = 'a-linked')
     WHERE id = $1`,
    [broken],
  );
  expect(await surroundings.listConnections(workspaceId)).toEqual([
    { name: 'a-linked', type: 'X', details: { password: 'secret' } },
    { name: 'b-bare', type: 'X', details: null },
  ]);
  expect(tampered).toContain(broken);
});

describe('what the code of a run learns of connections, its worker learns too', () => {
  interface Reader extends Started {
    /** A connection of the run's user, whose details say its name; not linked to anything. */
    create(name: string, token?: string): Promise<string>;
    readonly read: (name: string, token?: string) => Promise<LightMyRequestResponse>;
    readonly handedOut: (known?: readonly string[]) => Promise<readonly HandedOutDetails[]>;
  }

  async function setup(lab: string): Promise<Reader> {
    const started = await startRun(lab);
    const { own, token, run } = started;
    return {
      ...started,
      create: async (name, by = own) =>
        (
          await api.call(by, '/v1/api/connections/create', { name, type: 'X', details: { password: `of-${name}` } })
        ).json().id,
      read: (name, by = token) => api.call(by, '/v1/api/connections/get', { name }),
      handedOut: (known = []) => surroundings.listHandedOut(run.runId, known),
    };
  }

  test('of one that is linked to nothing, by name and by id, and not what a person read meanwhile', async () => {
    const { own, token, create, read, handedOut } = await setup('learn-own');
    const [first, second] = [await create('learn-first'), await create('learn-second')];
    await read('learn-first', own);
    expect(await handedOut()).toEqual([]);
    expect((await read('learn-first')).json().details).toEqual({ password: 'of-learn-first' });
    await api.call(token, '/v1/api/connections/list', {});
    expect(await handedOut()).toEqual([{ connectionId: first, details: { password: 'of-learn-first' } }]);
    expect(await statusOf(token, '/v1/api/connections/get_by_id', { id: second })).toBe(200);
    expect(await handedOut([first])).toEqual([{ connectionId: second, details: { password: 'of-learn-second' } }]);
    await read('learn-first');
    expect(await handedOut([first, second])).toEqual([]);
  });

  test('of one that is linked to another workspace, or to this one since', async () => {
    const { own, workspaceId, create, read, handedOut } = await setup('learn-linked');
    const other = (await api.call(own, '/v1/api/workspaces/create', { workspace_name: 'learn-other' })).json();
    for (const [name, workspace] of [
      ['learn-abroad', other.workspace_id],
      ['learn-late', workspaceId],
    ] as const) {
      const id = await create(name);
      const link = { workspace_id: workspace, connection_id: id };
      expect(await statusOf(own, '/v1/api/connections/add_to_workspace', link)).toBe(200);
      expect((await read(name)).statusCode).toBe(200);
      expect(await handedOut()).toContainEqual({ connectionId: id, details: { password: `of-${name}` } });
    }
  });

  test('of one that it made itself, also when it is deleted before its worker looks', async () => {
    const { token, create, handedOut } = await setup('learn-made');
    const id = await create('learn-made', token);
    expect(await statusOf(token, '/v1/api/connections/delete', { name: 'learn-made' })).toBe(204);
    expect(await handedOut()).toEqual([{ connectionId: id, details: { password: 'of-learn-made' } }]);
  });

  test('sealed, so that a worker without the key learns that there is something that it cannot mask', async () => {
    const { run, create, read } = await setup('learn-sealed');
    const id = await create('learn-sealed');
    await read('learn-sealed');
    const { rows } = await api.database.pool.query('SELECT * FROM run_connections WHERE run_id = $1', [run.runId]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows[0]) + rows[0].sealed_details.toString('latin1')).not.toContain('of-learn');
    const other = surroundingsWith(new EnvelopeVault([{ id: 'other', key: Buffer.alloc(32, 9) }]));
    expect(await other.listHandedOut(run.runId, [])).toEqual([{ connectionId: id, details: null }]);
    expect(tampered).toContain(id);
  });

  test('and nothing of it is left after the attempt, nor given to code that goes on', async () => {
    const { run, create, read, handedOut } = await setup('learn-over');
    await create('learn-over');
    expect((await read('learn-over')).statusCode).toBe(200);
    await store.finish(run.lease, failed);
    expect(await handedOut()).toEqual([]);
    // At once: the API may hold the attempt for current for two more seconds.
    const late = await read('learn-over');
    expect(late.statusCode).toBe(401);
    expect(late.body).not.toContain('of-learn');
    expect(await handedOut()).toEqual([]);
  });
});

test('with log-in off the code of a run is still told apart from its user', async () => {
  const { run, token } = await startRun('lab-open');
  const options = { database: api.database, secretKey: api.secretKey, isAuthOff: true };
  const open = await createTestIdentity(options);
  onTestFinished(() => open.close());
  const create = (by: string, name: string) =>
    open.call(by, '/v1/api/connections/create', { name, type: 'X', details: { password: `of-${name}` } });
  expect((await create('whatever', 'open-person')).statusCode).toBe(200);
  expect(await surroundings.listHandedOut(run.runId, [])).toEqual([]);
  const made = await create(token, 'open-run');
  expect(await surroundings.listHandedOut(run.runId, [])).toEqual([
    { connectionId: made.json().id, details: { password: 'of-open-run' } },
  ]);
  expect((await open.call(token, '/v1/api/clients/list')).statusCode).toBe(403);
});

test('code is found once its orchestration is ready', async () => {
  const { run } = await startRun('lab-code');
  expect(await surroundings.findCode(run.orchestrationId)).toEqual({ sha: 'c'.repeat(64) });
  await api.database.pool.query("UPDATE orchestrations SET status = 'packaging' WHERE id = $1", [run.orchestrationId]);
  expect(await surroundings.findCode(run.orchestrationId)).toBeNull();
});
