import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimsOf, createTestIdentity, password, type TestIdentity } from './identity-test-bench.ts';

let identity: TestIdentity;

beforeEach(async () => {
  identity = await createTestIdentity();
});

afterEach(() => identity.close());

async function tokensOf(email = 'grace@example.org') {
  const reply = await identity.logIn(email, password);
  expect(reply.statusCode).toBe(200);
  return reply.json() as { access_token: string; refresh_token: string };
}

async function idOf(email: string): Promise<string> {
  const { rows } = await identity.database.pool.query('SELECT id FROM users WHERE email = $1', [email]);
  return rows[0].id;
}

test('a password gets the tokens that both SDKs read, with the claims of Keycloak', async () => {
  const reply = await identity.logIn('Grace@Example.org', password);
  expect(reply.statusCode).toBe(200);
  const body = reply.json();
  expect(body).toMatchObject({
    expires_in: 3600,
    refresh_expires_in: 30 * 24 * 3600,
    token_type: 'Bearer',
    scope: 'profile email',
    refresh_token: expect.any(String),
  });
  const id = await idOf('grace@example.org');
  const claims = claimsOf(body.access_token);
  expect(claims).toMatchObject({
    iss: 'http://localhost:8080/auth/realms/master',
    aud: ['master-realm', 'account'],
    sub: id,
    typ: 'Bearer',
    azp: 'sdk-client',
    email: 'grace@example.org',
    preferred_username: 'grace@example.org',
    realm_access: { roles: ['default-roles-master'] },
    'https://hasura.io/jwt/claims': { 'x-hasura-user-id': id, 'x-hasura-default-role': 'user' },
  });
  expect(Number(claims['exp']) - Number(claims['iat'])).toBe(3600);
  expect((await identity.call(body.access_token, '/v1/api/workspaces/list')).statusCode).toBe(200);
});

test.each([
  ['a wrong password', { username: 'grace@example.org', password: 'wrong' }, 400, 'invalid_grant'],
  ['an unknown user', { username: 'nobody@example.org', password }, 400, 'invalid_grant'],
  ['a user without a password', { username: 'ada@example.org', password }, 400, 'invalid_grant'],
  ['no password', { username: 'grace@example.org' }, 400, 'invalid_request'],
  ['a name with a NUL', { username: 'grace\0@example.org', password }, 400, 'invalid_grant'],
  [
    'a password longer than 1024',
    { username: 'grace@example.org', password: 'x'.repeat(1025) },
    400,
    'invalid_request',
  ],
  ['a password of 10 MB', { username: 'grace@example.org', password: 'x'.repeat(10_000_000) }, 400, 'invalid_request'],
])('%s gets no token', async (_, fields: Record<string, string>, status, error) => {
  const reply = await identity.form('/token', { client_id: 'sdk-client', grant_type: 'password', ...fields });
  expect(reply.statusCode).toBe(status);
  expect(reply.json()).toMatchObject({ error, error_description: expect.any(String) });
});

test('a wrong password and an unknown user are told alike, and take alike', async () => {
  async function failures(prefix: string): Promise<{ body: string; leastMs: number }> {
    const times: number[] = [];
    let body = '';
    for (let n = 0; n < 5; n++) {
      // Each from an address of its own, so that none is throttled.
      const start = performance.now();
      const reply = await identity.form(
        '/token',
        { client_id: 'sdk-client', grant_type: 'password', username: `${prefix}@example.org`, password: 'wrong' },
        { 'x-forwarded-for': `10.0.${prefix.length}.${n}` },
      );
      times.push(performance.now() - start);
      body = reply.body;
    }
    // The least time of several is what the work takes, whatever else the machine does.
    return { body, leastMs: Math.min(...times) };
  }
  const known = await failures('grace');
  const unknown = await failures('nobody');
  expect(unknown.body).toBe(known.body);
  // A hash costs 30 ms and more: skipping it for an unknown user would make a far greater difference.
  // Only a lower bound holds on every machine, busy or idle.
  expect(unknown.leastMs).toBeGreaterThan(5);
  expect(known.leastMs).toBeGreaterThan(5);
});

test('the sixth failed log-in within a minute is not even tried, for this user and address alone', async () => {
  const failed = await Promise.all(
    Array.from({ length: 12 }, () => identity.logIn('grace@example.org', 'wrong password')),
  );
  const statuses = failed.map((reply) => reply.statusCode);
  expect(statuses.filter((status) => status === 400)).toHaveLength(5);
  expect(statuses.filter((status) => status === 429)).toHaveLength(7);
  const refused = await identity.logIn('grace@example.org', password);
  expect(refused.statusCode).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
  expect(refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
  expect((await identity.logIn('linus@example.org', password)).statusCode).toBe(200);
  const elsewhere = await identity.form(
    '/token',
    { client_id: 'sdk-client', grant_type: 'password', username: 'grace@example.org', password },
    { 'x-forwarded-for': '192.0.2.7' },
  );
  expect(elsewhere.statusCode).toBe(200);
});

test('one password sprayed over many users from one address is refused, whatever addresses the client claims', async () => {
  let refused = 0;
  for (let n = 0; n < 60; n++) {
    const reply = await identity.form(
      '/token',
      { client_id: 'sdk-client', grant_type: 'password', username: `user${n}@example.org`, password: 'Summer2026' },
      // The gateway appends the true address to what the client sent.
      { 'x-forwarded-for': `10.1.1.${n}, 203.0.113.9` },
    );
    if (reply.statusCode === 429) refused += 1;
  }
  expect(refused).toBe(10);
});

test('a refresh token is good again and again, until it is revoked', async () => {
  const { refresh_token: refreshToken } = await tokensOf();
  const refresh = () =>
    identity.form('/token', { client_id: 'sdk-client', grant_type: 'refresh_token', refresh_token: refreshToken });
  for (let n = 0; n < 3; n++) {
    const reply = await refresh();
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({ refresh_token: refreshToken, expires_in: 3600 });
    expect(reply.json().refresh_expires_in).toBeGreaterThan(30 * 24 * 3600 - 60);
    expect(claimsOf(reply.json().access_token)).toMatchObject({ azp: 'sdk-client', email: 'grace@example.org' });
    expect((await identity.call(reply.json().access_token, '/v1/api/workspaces/list')).statusCode).toBe(200);
  }
  const revoked = await identity.form('/revoke', { client_id: 'sdk-client', token: refreshToken });
  expect(revoked.statusCode).toBe(200);
  expect((await refresh()).json()).toMatchObject({ error: 'invalid_grant' });
});

test('logging out ends the refresh token', async () => {
  const { refresh_token: refreshToken } = await tokensOf();
  const fields = { client_id: 'sdk-client', refresh_token: refreshToken };
  expect((await identity.form('/logout', fields)).statusCode).toBe(204);
  const reply = await identity.form('/token', { ...fields, grant_type: 'refresh_token' });
  expect(reply.statusCode).toBe(400);
  expect((await identity.form('/logout', fields)).statusCode).toBe(204);
});

test('the database holds no token that could be used', async () => {
  const { refresh_token: refreshToken } = await tokensOf();
  const { rows } = await identity.database.pool.query('SELECT oidc_payloads::text AS text FROM oidc_payloads');
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter((row) => row.text.includes(refreshToken))).toEqual([]);
});

test('a deactivated user is refused at once by new requests and never gets a token again', async () => {
  const admin = await tokensOf('linus@example.org');
  const grace = await tokensOf();
  const email = 'grace@example.org';
  expect((await identity.call(grace.access_token, '/v1/api/workspaces/list')).statusCode).toBe(200);
  expect((await identity.call(admin.access_token, '/v1/api/users/deactivate', { email })).statusCode).toBe(200);
  await expect
    .poll(async () => (await identity.call(grace.access_token, '/v1/api/workspaces/list')).statusCode, {
      timeout: 5_000,
    })
    .toBe(401);
  const refresh = { client_id: 'sdk-client', grant_type: 'refresh_token', refresh_token: grace.refresh_token };
  expect((await identity.form('/token', refresh)).json()).toMatchObject({ error: 'invalid_grant' });
  expect((await identity.logIn(email, password)).json()).toMatchObject({ error: 'invalid_grant' });

  expect((await identity.call(admin.access_token, '/v1/api/users/activate', { email })).statusCode).toBe(200);
  const again = await tokensOf();
  await expect
    .poll(async () => (await identity.call(again.access_token, '/v1/api/workspaces/list')).statusCode, {
      timeout: 5_000,
    })
    .toBe(200);
  // What was issued before stays refused.
  expect((await identity.call(grace.access_token, '/v1/api/workspaces/list')).statusCode).toBe(401);
  expect((await identity.form('/token', refresh)).json()).toMatchObject({ error: 'invalid_grant' });
});

test.each([
  ['no header', undefined],
  ['no token', 'no token'],
  ['a token that is none', 'Bearer definitely_an_access_token'],
  ['a token without its scheme', 'definitely_a_bearer_token_str'],
  ['an unsigned token', `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
  ['a token of 100 KB', `Bearer ${'x'.repeat(100_000)}`],
  ['basic credentials', `Basic ${Buffer.from(`grace@example.org:${password}`).toString('base64')}`],
])('%s is answered 401', async (_, authorization) => {
  const headers = authorization === undefined ? {} : { authorization };
  const reply = await identity.app.inject({ method: 'POST', url: '/v1/api/workspaces/list', payload: {}, headers });
  expect(reply.statusCode).toBe(401);
  expect(reply.json()).toMatchObject({ code: 401, error: 'unauthenticated', msg: expect.any(String) });
});

test('links come from PUBLIC_URL, whatever host the client claims', async () => {
  const reply = await identity.app.inject({
    method: 'GET',
    url: '/auth/realms/master/.well-known/openid-configuration',
    headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' },
  });
  expect(reply.statusCode).toBe(200);
  expect(reply.body).not.toContain('evil');
  const base = 'http://localhost:8080/auth/realms/master';
  expect(reply.json()).toMatchObject({
    issuer: base,
    token_endpoint: `${base}/protocol/openid-connect/token`,
    jwks_uri: `${base}/protocol/openid-connect/certs`,
    device_authorization_endpoint: `${base}/protocol/openid-connect/auth/device`,
    userinfo_endpoint: `${base}/protocol/openid-connect/userinfo`,
  });
});

test('the published keys have no private part', async () => {
  const reply = await identity.app.inject({ method: 'GET', url: '/auth/realms/master/protocol/openid-connect/certs' });
  expect(reply.json().keys).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }]);
  expect(reply.json().keys[0]).not.toHaveProperty('d');
});

test('userinfo tells who a token is for', async () => {
  const { access_token: token } = await tokensOf();
  const url = '/auth/realms/master/protocol/openid-connect/userinfo';
  const reply = await identity.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
  expect(reply.json()).toMatchObject({ sub: await idOf('grace@example.org'), email: 'grace@example.org' });
  expect((await identity.app.inject({ method: 'GET', url })).statusCode).toBe(401);
});

test('tokens of a key that was replaced stay valid, and another process takes up the new key', async () => {
  const before = await tokensOf();
  await identity.database.pool.query("UPDATE signing_keys SET created_at = created_at - interval '91 days'");
  await identity.services.identity.issuer.runOnce();
  const certs = async () =>
    (await identity.app.inject({ method: 'GET', url: '/auth/realms/master/protocol/openid-connect/certs' }))
      .json()
      .keys.map((key: { kid: string }) => key.kid) as string[];
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()).kid;
  expect(await certs()).toHaveLength(2);
  // The new key is published but does not sign until every verifier can know it.
  expect(kidOf((await tokensOf()).access_token)).toBe(kidOf(before.access_token));
  await identity.database.pool.query("UPDATE signing_keys SET created_at = created_at - interval '2 minutes'");
  await identity.services.identity.issuer.runOnce();
  const after = await tokensOf();
  expect(kidOf(after.access_token)).not.toBe(kidOf(before.access_token));
  for (const token of [before.access_token, after.access_token]) {
    expect((await identity.call(token, '/v1/api/workspaces/list')).statusCode).toBe(200);
  }
});

test('what has expired is swept', async () => {
  await tokensOf();
  const count = async () =>
    Number((await identity.database.pool.query('SELECT count(*) FROM oidc_payloads')).rows[0].count);
  expect(await count()).toBeGreaterThan(0);
  await identity.database.pool.query("UPDATE oidc_payloads SET expires_at = now() - interval '11 minutes'");
  await identity.services.identity.issuer.runOnce();
  expect(await count()).toBe(0);
});

test('the paths of oidc-provider that we do not offer are not there', async () => {
  for (const path of ['/protocol/openid-connect/auth', '/reg', '/session/end', '/device/abc', '/interaction/x']) {
    const reply = await identity.app.inject({ method: 'GET', url: `/auth/realms/master${path}` });
    expect(reply.statusCode).toBe(404);
  }
});
