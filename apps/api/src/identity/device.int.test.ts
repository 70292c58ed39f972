import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimsOf, createTestIdentity, issuerPath, password, type TestIdentity } from './identity-test-bench.ts';

let identity: TestIdentity;
const page = `${issuerPath}/device`;

beforeEach(async () => {
  identity = await createTestIdentity();
});

afterEach(() => identity.close());

async function askForCode(fields: Record<string, string> = {}) {
  const reply = await identity.form(
    '/auth/device',
    { client_id: 'sdk-client', ...fields },
    { 'user-agent': 'WallarooSDK/2026 <b>' },
  );
  expect(reply.statusCode).toBe(200);
  return reply.json() as { device_code: string; user_code: string; interval: number; [key: string]: unknown };
}

function poll(deviceCode: string) {
  return identity.form('/token', {
    client_id: 'sdk-client',
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: deviceCode,
  });
}

async function logInOnPage(userCode: string, given: { username?: string; password?: string } = {}) {
  return identity.form(page, {
    step: 'login',
    user_code: userCode,
    username: 'grace@example.org',
    password,
    ...given,
  });
}

async function ticketFor(userCode: string): Promise<string> {
  const reply = await logInOnPage(userCode);
  expect(reply.statusCode).toBe(200);
  return /name="ticket" value="([^"]+)"/.exec(reply.body)?.[1] as string;
}

/** As if this much time had passed since the last poll. */
async function passTime(seconds: number): Promise<void> {
  await identity.database.pool.query(
    `UPDATE oidc_payloads SET payload = jsonb_set(payload, '{polledAt}', to_jsonb((payload->>'polledAt')::float8 - $1))
     WHERE kind = 'DeviceCode'`,
    [seconds],
  );
}

test('a notebook waits until somebody approves its code in the browser, and then gets their tokens', async () => {
  const device = await askForCode();
  expect(device).toMatchObject({
    device_code: expect.any(String),
    user_code: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
    interval: 2,
    expires_in: 600,
    verification_uri: 'http://localhost:8080/auth/realms/master/device',
    verification_uri_complete: `http://localhost:8080/auth/realms/master/device?user_code=${device.user_code}`,
  });
  const pending = await poll(device.device_code);
  expect(pending.statusCode).toBe(400);
  expect(pending.json()).toMatchObject({ error: 'authorization_pending' });

  const opened = await identity.app.inject({ method: 'GET', url: `${page}?user_code=${device.user_code}` });
  expect(opened.statusCode).toBe(200);
  expect(opened.body).toContain(`value="${device.user_code}"`);
  const decision = await logInOnPage(device.user_code.toLowerCase());
  expect(decision.body).toContain(device.user_code);
  expect(decision.body).toContain('grace@example.org');
  expect(decision.body).toContain('WallarooSDK/2026 &lt;b&gt;');
  const ticket = /name="ticket" value="([^"]+)"/.exec(decision.body)?.[1] as string;
  const approved = await identity.form(page, { ticket, decision: 'approve' });
  expect(approved.statusCode).toBe(200);
  expect(approved.body).toContain('Approved');

  const reply = await poll(device.device_code);
  expect(reply.statusCode).toBe(200);
  expect(reply.json()).toMatchObject({ expires_in: 3600, refresh_expires_in: 30 * 24 * 3600 });
  expect(claimsOf(reply.json().access_token)).toMatchObject({ email: 'grace@example.org', azp: 'sdk-client' });
  expect((await identity.call(reply.json().access_token, '/v1/api/workspaces/list')).statusCode).toBe(200);
  const refreshed = await identity.form('/token', {
    client_id: 'sdk-client',
    grant_type: 'refresh_token',
    refresh_token: reply.json().refresh_token,
  });
  expect(refreshed.statusCode).toBe(200);
});

test('a code is good for one approval and one log-in', async () => {
  const device = await askForCode();
  const ticket = await ticketFor(device.user_code);
  const second = await ticketFor(device.user_code);
  expect((await identity.form(page, { ticket, decision: 'approve' })).statusCode).toBe(200);
  expect((await identity.form(page, { ticket: second, decision: 'refuse' })).statusCode).toBe(404);
  expect((await logInOnPage(device.user_code)).statusCode).toBe(404);
  const first = await poll(device.device_code);
  expect(first.statusCode).toBe(200);
  expect((await poll(device.device_code)).json()).toMatchObject({ error: 'invalid_grant' });
  // A device code that is used twice was stolen: what it was good for ends.
  const refresh = { client_id: 'sdk-client', grant_type: 'refresh_token', refresh_token: first.json().refresh_token };
  expect((await identity.form('/token', refresh)).json()).toMatchObject({ error: 'invalid_grant' });
});

test('a notebook whose code was refused is told so', async () => {
  const device = await askForCode();
  const refused = await identity.form(page, { ticket: await ticketFor(device.user_code), decision: 'refuse' });
  expect(refused.body).toContain('Refused');
  const reply = await poll(device.device_code);
  expect(reply.statusCode).toBe(400);
  expect(reply.json()).toMatchObject({ error: 'access_denied' });
});

test('a device that polls too often is slowed down, and one that waits the interval is not', async () => {
  const device = await askForCode();
  expect((await poll(device.device_code)).json()).toMatchObject({ error: 'authorization_pending' });
  const tooSoon = await poll(device.device_code);
  expect(tooSoon.statusCode).toBe(400);
  expect(tooSoon.json()).toMatchObject({ error: 'slow_down' });
  await passTime(device.interval);
  expect((await poll(device.device_code)).json()).toMatchObject({ error: 'authorization_pending' });
});

test('a poll at the moment of the approval does not undo it', async () => {
  const device = await askForCode();
  const ticket = await ticketFor(device.user_code);
  await Promise.all([
    ...Array.from({ length: 10 }, () => poll(device.device_code)),
    identity.form(page, { ticket, decision: 'approve' }),
  ]);
  // One of the polls above may have taken the tokens already.
  const { error } = (await poll(device.device_code)).json();
  expect([undefined, 'invalid_grant']).toContain(error);
});

test('a code that has expired can neither be approved nor polled', async () => {
  const device = await askForCode();
  const ticket = await ticketFor(device.user_code);
  await identity.database.pool.query(
    `UPDATE oidc_payloads SET expires_at = now() - interval '1 s' WHERE kind = 'DeviceCode'`,
  );
  expect((await identity.form(page, { ticket, decision: 'approve' })).statusCode).toBe(404);
  expect((await logInOnPage(device.user_code)).statusCode).toBe(404);
  const reply = await poll(device.device_code);
  expect(reply.statusCode).toBe(400);
  expect(reply.json()).toMatchObject({ error: 'expired_token' });
});

test('whether a code exists is told to nobody who has not logged in, and guessing codes is throttled', async () => {
  const device = await askForCode();
  const wrong = { password: 'wrong password' };
  const known = await logInOnPage(device.user_code, wrong);
  const unknown = await logInOnPage('BBBB-BBBB', wrong);
  expect(known.statusCode).toBe(401);
  expect(unknown.statusCode).toBe(401);
  expect(known.body.replaceAll(device.user_code, '')).toBe(unknown.body.replaceAll('BBBB-BBBB', ''));
  const guesses: number[] = [];
  for (let n = 0; n < 6; n++) guesses.push((await logInOnPage(`CCCC-CCC${'BCDFGH'[n]}`)).statusCode);
  expect(guesses).toEqual([404, 404, 404, 404, 404, 429]);
  expect((await logInOnPage(device.user_code)).statusCode).toBe(429);
});

test('the page has no script, cannot be framed and takes no decision without its own ticket', async () => {
  const device = await askForCode();
  const opened = await identity.app.inject({ method: 'GET', url: `${page}?user_code="><script>alert(1)</script>` });
  expect(opened.body).not.toContain('<script');
  expect(opened.headers).toMatchObject({
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  });
  expect(opened.headers['set-cookie']).toBeUndefined();
  const ticket = await ticketFor(device.user_code);
  const flipped = `${ticket.slice(0, -2)}${ticket.endsWith('AA') ? 'BB' : 'AA'}`;
  for (const forged of ['', 'x', flipped]) {
    expect((await identity.form(page, { ticket: forged, decision: 'approve' })).statusCode).toBe(401);
  }
  const crossSite = await identity.form(page, { ticket, decision: 'approve' }, { 'sec-fetch-site': 'cross-site' });
  expect(crossSite.statusCode).toBe(403);
  expect((await poll(device.device_code)).json()).toMatchObject({ error: 'authorization_pending' });
});

test('a ticket is worth nothing once its user is deactivated', async () => {
  const device = await askForCode();
  const ticket = await ticketFor(device.user_code);
  await identity.database.pool.query("UPDATE users SET is_enabled = false WHERE email = 'grace@example.org'");
  expect((await identity.form(page, { ticket, decision: 'approve' })).statusCode).toBe(401);
});

test.each([
  ['an incomplete form', 'user_code=AAAA-BBBB', 'application/x-www-form-urlencoded', 400],
  ['a form that is too large', `ticket=${'x'.repeat(100_000)}`, 'application/x-www-form-urlencoded', 413],
  ['JSON', '{"step":"login"}', 'application/json', 400],
])('%s is refused by the page', async (_, payload, contentType, status) => {
  const headers = { 'content-type': contentType };
  const reply = await identity.app.inject({ method: 'POST', url: page, payload, headers });
  expect(reply.statusCode).toBe(status);
  expect(reply.headers['content-type']).toContain('text/html');
});

test('with log-in off a device is the first user at once', async () => {
  await identity.close();
  identity = await createTestIdentity({ isAuthOff: true });
  const device = await askForCode();
  const reply = await poll(device.device_code);
  expect(reply.statusCode).toBe(200);
  const { rows } = await identity.database.pool.query('SELECT email FROM users ORDER BY created_at, id LIMIT 1');
  expect(claimsOf(reply.json().access_token)).toMatchObject({ email: rows[0].email });
  for (const authorization of [undefined, 'no token', 'Bearer definitely_an_access_token', 'nonsense']) {
    const headers = authorization === undefined ? {} : { authorization };
    const listed = await identity.app.inject({ method: 'POST', url: '/v1/api/workspaces/list', payload: {}, headers });
    expect(listed.statusCode).toBe(200);
  }
});
