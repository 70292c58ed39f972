import { DomainError, type User } from '@pademelon/domain';
import type { AccessToken } from '@pademelon/tokens';
import { expect, test } from 'vitest';
import { TokenAuthenticator } from './token-authenticator.ts';

const issuedAtMs = 1_800_000_000_000;

function setup(run: AccessToken['run'] = null) {
  const clock = { nowMs: issuedAtMs };
  const ada: User = {
    id: 'ada',
    email: 'ada@example.org',
    username: 'ada@example.org',
    firstName: null,
    lastName: null,
    isEnabled: true,
    isAdmin: false,
    tokensValidAfter: new Date(0),
    createdAt: new Date(0),
    lastLoginAt: null,
  };
  const state: { user: User | null; failure: Error | null } = { user: ada, failure: null };
  const counts = { verified: 0, lookedUp: 0 };
  const runs = { asked: 0, isCurrent: true };
  const token: AccessToken = {
    userId: 'ada',
    clientId: 'sdk-client',
    tokenId: 't1',
    issuedAtMs,
    expiresAtMs: issuedAtMs + 3_600_000,
    run,
  };
  const authenticator = new TokenAuthenticator({
    now: () => clock.nowMs,
    verifier: {
      verify: async () => {
        counts.verified += 1;
        if (clock.nowMs >= token.expiresAtMs) throw new DomainError('unauthenticated', 'expired');
        return token;
      },
      reloadKeys: async () => undefined,
    },
    isAttemptCurrent: async () => {
      runs.asked += 1;
      return runs.isCurrent;
    },
    users: {
      findEnabled: async () => {
        counts.lookedUp += 1;
        if (state.failure) throw state.failure;
        return state.user;
      },
    },
  });
  return { authenticator, clock, state, ada, counts, runs };
}

const refusal = { word: 'unauthenticated' };

test('a token is verified once, and its user looked up at most every two seconds', async () => {
  const { authenticator, clock, counts } = setup();
  const authenticate = () => authenticator.authenticate('Bearer abc.def.ghi');
  expect(await authenticate()).toEqual({ userId: 'ada', email: 'ada@example.org', isAdmin: false });
  await Promise.all([authenticate(), authenticate()]);
  expect(counts).toEqual({ verified: 1, lookedUp: 1 });
  clock.nowMs += 2_000;
  await authenticate();
  expect(counts).toEqual({ verified: 1, lookedUp: 2 });
});

test('a deactivated user and a revoked token are refused within two seconds', async () => {
  for (const change of [null, { tokensValidAfter: new Date(issuedAtMs + 1) }]) {
    const { authenticator, clock, state, ada } = setup();
    await authenticator.authenticate('Bearer abc.def.ghi');
    state.user = change && { ...ada, ...change };
    clock.nowMs += 2_000;
    await expect(authenticator.authenticate('Bearer abc.def.ghi')).rejects.toMatchObject(refusal);
  }
});

test('a token issued at the very moment of a revocation is good', async () => {
  const { authenticator, state, ada } = setup();
  state.user = { ...ada, tokensValidAfter: new Date(issuedAtMs) };
  await expect(authenticator.authenticate('Bearer abc.def.ghi')).resolves.toMatchObject({ userId: 'ada' });
});

test('a remembered token is refused when it has expired', async () => {
  const { authenticator, clock } = setup();
  await authenticator.authenticate('Bearer abc.def.ghi');
  clock.nowMs += 3_600_000;
  await expect(authenticator.authenticate('Bearer abc.def.ghi')).rejects.toMatchObject(refusal);
});

test("a run's token has its user's rights but never an administrator's, until its attempt is over", async () => {
  const { authenticator, clock, state, ada, runs } = setup({ runId: 'run-1', attempt: 1 });
  state.user = { ...ada, isAdmin: true };
  const authenticate = () => authenticator.authenticate('Bearer abc.def.ghi');
  expect(await authenticate()).toEqual({ userId: 'ada', email: 'ada@example.org', isAdmin: false, runId: 'run-1' });
  await authenticate();
  expect(runs.asked).toBe(1);
  runs.isCurrent = false;
  clock.nowMs += 2_000;
  await expect(authenticate()).rejects.toMatchObject(refusal);
});

test('a failed look-up is not remembered', async () => {
  const { authenticator, state } = setup();
  state.failure = new Error('the database is away');
  await expect(authenticator.authenticate('Bearer abc.def.ghi')).rejects.toThrow('the database is away');
  state.failure = null;
  await expect(authenticator.authenticate('bearer  abc.def.ghi')).resolves.toMatchObject({ userId: 'ada' });
});

test.each([undefined, '', 'abc.def.ghi', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,b', 'Basic abc'])(
  'the header %j has no bearer token',
  async (header) => {
    const { authenticator, counts } = setup();
    await expect(authenticator.authenticate(header)).rejects.toMatchObject(refusal);
    expect(counts.verified).toBe(0);
  },
);
