import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { createTokenVerifier } from './access-token-verifier.ts';
import { RunTokens } from './run-tokens.ts';

const issuer = 'http://localhost:8080/auth/realms/master';
const nowMs = 1_800_000_000_000;
const runId = 'b1f3c9c2-6f57-4d3f-a4f6-0c9c3a1d2e4b';
const subject = { userId: 'ada', email: 'ada@example.org', runId, attempt: 2, lifeMs: 60_000, validAfter: new Date(0) };

let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
let tokens: RunTokens;
let verifier: ReturnType<typeof createTokenVerifier>;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = pair.privateKey;
  const jwk = { ...(await exportJWK(pair.privateKey)), kid: 'k' };
  tokens = new RunTokens({ keys: { load: async () => [{ kid: 'k', jwk }] }, issuer, now: () => nowMs });
  const publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'k' };
  verifier = createTokenVerifier({ issuer, loadKeys: async () => [{ kid: 'k', publicJwk }], now: () => nowMs });
});

test('names its user, its attempt and an end', async () => {
  const token = await tokens.sign(subject);
  expect(token).toMatchObject({ userId: 'ada', email: 'ada@example.org', expiresAtMs: nowMs + 60_000 });
  expect(await verifier.verify(token.accessToken)).toMatchObject({
    userId: 'ada',
    clientId: 'run',
    expiresAtMs: nowMs + 60_000,
    run: { runId, attempt: 2 },
  });
});

test('is dated after a revocation in the same second, so that it is not refused by it', async () => {
  const { accessToken } = await tokens.sign({ ...subject, validAfter: new Date(nowMs + 400) });
  await expect(verifier.verify(accessToken)).resolves.toMatchObject({ issuedAtMs: nowMs + 1_000 });
});

test.each([{}, { run_id: runId }, { run_id: 'x', run_attempt: 1 }, { run_id: runId, run_attempt: '1' }])(
  'a token of the client of runs that says %j of its run is refused',
  async (claims) => {
    const token = await new SignJWT({ azp: 'run', ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
      .setIssuer(issuer)
      .setSubject('ada')
      .setAudience('account')
      .setJti('t')
      .setIssuedAt(nowMs / 1000)
      .setExpirationTime(nowMs / 1000 + 60)
      .sign(privateKey);
    await expect(verifier.verify(token)).rejects.toMatchObject({ word: 'unauthenticated' });
  },
);
