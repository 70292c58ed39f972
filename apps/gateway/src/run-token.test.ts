import { expect, test } from 'vitest';
import { AccessTable } from './access-table.ts';
import { AttemptTable } from './attempt-table.ts';
import { Authenticator } from './authenticator.ts';
import { TokenCache } from './token-cache.ts';

const run = { runId: 'run', attempt: 1 };

function setup() {
  const access = new AccessTable();
  access.replace([{ id: 'ada', isEnabled: true, tokensValidAfterMs: 0, workspaceIds: [1] }]);
  const state = { isGoingOn: true };
  const attempts = new AttemptTable(async (asked) => (state.isGoingOn ? asked : []));
  const authenticator = new Authenticator({
    access,
    attempts,
    tokens: new TokenCache(),
    verify: async (text) => ({ userId: 'ada', issuedAtMs: 1, expiresAtMs: 10, run: text === 'of-a-run' ? run : null }),
    isAuthOff: false,
    now: () => 5,
  });
  return { state, attempts, authenticator };
}

test("a run's token is its user's while its attempt goes on, and nobody's afterwards", async () => {
  const { state, attempts, authenticator } = setup();
  expect(await authenticator.authenticate('Bearer of-a-run')).toBe('ada');
  // Known by now: an inference with it waits for nothing.
  expect(authenticator.authenticate('Bearer of-a-run')).toBe('ada');
  state.isGoingOn = false;
  await attempts.refresh();
  expect(authenticator.authenticate('Bearer of-a-run')).toBeNull();
  expect(await authenticator.authenticate('Bearer of-a-person')).toBe('ada');
});

test('the token of an attempt that was over before it was first seen lets nobody in', async () => {
  const { state, authenticator } = setup();
  state.isGoingOn = false;
  expect(await authenticator.authenticate('Bearer of-a-run')).toBeNull();
});
