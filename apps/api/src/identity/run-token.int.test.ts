import { findCurrentAttempts, PgRunStore, PgRunSurroundings, PostgresSigningKeyStore } from '@pademelon/database/sql';
import type { ClaimedRun, RunOutcome } from '@pademelon/domain';
import { deriveKey, readSealingKeys } from '@pademelon/runtime';
import { EnvelopeVault, issuerUrl, RunTokens, SigningKeys } from '@pademelon/tokens';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
  surroundings = new PgRunSurroundings({
    pool,
    vault: new EnvelopeVault(readSealingKeys({}, api.secretKey)),
    tokens: new RunTokens({
      keys: new SigningKeys({
        store: new PostgresSigningKeyStore(pool),
        sealingKey: deriveKey(api.secretKey, 'signing keys'),
      }),
      issuer: issuerUrl('http://localhost:8080'),
    }),
    onTampered: (id) => tampered.push(id),
  });
});
afterAll(() => api.close());

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
  return (await surroundings.issueToken({ userId, runId, attempt, lifeMs })).accessToken;
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
  await expect(issue(run)).rejects.toThrow('not active');
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
  expect(tampered).toEqual([broken]);
});

test('code is found once its orchestration is ready', async () => {
  const { run } = await startRun('lab-code');
  expect(await surroundings.findCode(run.orchestrationId)).toEqual({ sha: 'c'.repeat(64) });
  await api.database.pool.query("UPDATE orchestrations SET status = 'packaging' WHERE id = $1", [run.orchestrationId]);
  expect(await surroundings.findCode(run.orchestrationId)).toBeNull();
});
