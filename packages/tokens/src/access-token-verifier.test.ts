import { createHmac, generateKeyPairSync } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { createTokenVerifier } from './access-token-verifier.ts';

const issuer = 'http://localhost:8080/auth/realms/master';
const nowMs = 1_800_000_000_000;
const nowSeconds = nowMs / 1000;

async function setup() {
  const pair = await makeKey('key-1');
  const published = [pair.published];
  let loads = 0;
  const clock = { nowMs };
  const verifier = createTokenVerifier({
    issuer,
    now: () => clock.nowMs,
    loadKeys: async () => {
      loads += 1;
      return published;
    },
  });
  return { ...pair, published, clock, verifier, loads: () => loads };
}

async function makeKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, published: { kid, publicJwk: { ...(await exportJWK(publicKey)), kid } } };
}

const claims: JWTPayload = {
  iss: issuer,
  aud: ['master-realm', 'account'],
  sub: 'ada',
  azp: 'sdk-client',
  jti: 't1',
  iat: nowSeconds,
  exp: nowSeconds + 3600,
};
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' };

function sign(privateKey: CryptoKey, payload: JWTPayload = claims, protectedHeader: object = header): Promise<string> {
  return new SignJWT(payload).setProtectedHeader(protectedHeader as typeof header).sign(privateKey);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const refusal = { word: 'unauthenticated' };

test('a token of ours tells its user, client and times', async () => {
  const { verifier, privateKey } = await setup();
  expect(await verifier.verify(await sign(privateKey))).toEqual({
    userId: 'ada',
    clientId: 'sdk-client',
    tokenId: 't1',
    run: null,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 3_600_000,
  });
});

const otherClaims: [string, Record<string, unknown>][] = [
  ['from another issuer', { ...claims, iss: 'http://evil.example/auth/realms/master' }],
  ['without an issuer', { ...claims, iss: undefined }],
  ['for another audience', { ...claims, aud: 'sdk-client' }],
  ['without an audience', { ...claims, aud: undefined }],
  ['that has expired', { ...claims, exp: nowSeconds - 1 }],
  ['that never expires', { ...claims, exp: undefined }],
  ['that expires in the year 31688 million', { ...claims, exp: 1e18 }],
  ['that is not valid yet', { ...claims, nbf: nowSeconds + 60 }],
  ['without a user', { ...claims, sub: undefined }],
  ['without a time of issue', { ...claims, iat: undefined }],
];

test.each(otherClaims)('a token signed by our key but %s is refused', async (_, payload) => {
  const { verifier, privateKey } = await setup();
  const defined = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
  await expect(verifier.verify(await sign(privateKey, defined))).rejects.toMatchObject(refusal);
});

test.each([
  ['an id_token', { ...header, typ: 'JWT' }],
  ['a token without a type', { alg: 'ES256', kid: 'key-1' }],
  ['a token of an unknown key', { ...header, kid: 'key-2' }],
  ['a token whose key is a path', { ...header, kid: '../../../dev/null' }],
  ['a token whose key is SQL', { ...header, kid: "' OR 1=1 --" }],
  ['a token without a key id', { alg: 'ES256', typ: 'at+jwt' }],
])('%s is refused as an access token', async (_, protectedHeader) => {
  const { verifier, privateKey } = await setup();
  await expect(verifier.verify(await sign(privateKey, claims, protectedHeader))).rejects.toMatchObject(refusal);
});

test('a token that brings its own key, or says where to fetch one, is refused', async () => {
  const { verifier } = await setup();
  const evil = await makeKey('key-1');
  for (const extra of [
    { jwk: evil.published.publicJwk },
    { jku: 'http://127.0.0.1:9/jwks' },
    { x5u: 'http://127.0.0.1:9/cert' },
  ]) {
    const token = await sign(evil.privateKey, claims, { ...header, ...extra });
    await expect(verifier.verify(token)).rejects.toMatchObject(refusal);
  }
});

test('an unsigned token is refused', async () => {
  const { verifier } = await setup();
  for (const alg of ['none', 'None', 'NONE']) {
    const token = `${encode({ ...header, alg })}.${encode(claims)}.`;
    await expect(verifier.verify(token)).rejects.toMatchObject(refusal);
  }
});

test('a token signed with the public key as an HMAC secret is refused', async () => {
  const { verifier, published } = await setup();
  const publicKey = await importJWK(published[0]!.publicJwk, 'ES256', { extractable: true });
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', publicKey as CryptoKey));
  const pem = `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64')}\n-----END PUBLIC KEY-----`;
  for (const secret of [spki, pem, JSON.stringify(published[0]!.publicJwk)]) {
    const body = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
    const token = `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
    await expect(verifier.verify(token)).rejects.toMatchObject(refusal);
  }
});

test('a token signed by a key of another kind is refused', async () => {
  const { verifier } = await setup();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const token = await new SignJWT(claims).setProtectedHeader({ ...header, alg: 'RS256' }).sign(privateKey);
  await expect(verifier.verify(token)).rejects.toMatchObject(refusal);
});

test('a token with a changed byte is refused', async () => {
  const { verifier, privateKey } = await setup();
  const [head, , signature] = (await sign(privateKey)).split('.');
  const token = `${head}.${encode({ ...claims, sub: 'bob' })}.${signature}`;
  await expect(verifier.verify(token)).rejects.toMatchObject(refusal);
});

test.each(['', 'no token', 'definitely_an_access_token', 'a.b.c', '..', 'x'.repeat(1024 * 1024)])(
  '%.20s is no token',
  async (token) => {
    const { verifier } = await setup();
    await expect(verifier.verify(token)).rejects.toMatchObject(refusal);
  },
);

test('a key that was made a moment ago is known at once, and unknown keys do not make us ask on and on', async () => {
  const { verifier, published, clock, loads, privateKey } = await setup();
  await verifier.verify(await sign(privateKey));
  const second = await makeKey('key-2');
  published.push(second.published);
  clock.nowMs += 1_000;
  await verifier.verify(await sign(second.privateKey, claims, { ...header, kid: 'key-2' }));
  expect(loads()).toBe(2);
  for (let n = 0; n < 10; n++) {
    await expect(verifier.verify(await sign(privateKey, claims, { ...header, kid: `no-${n}` }))).rejects.toMatchObject(
      refusal,
    );
  }
  expect(loads()).toBe(2);
});

test('a failure to read the keys is not mistaken for a bad token', async () => {
  const verifier = createTokenVerifier({ issuer, loadKeys: () => Promise.reject(new Error('the database is away')) });
  const { privateKey } = await makeKey('key-1');
  await expect(verifier.verify(await sign(privateKey))).rejects.toThrow('the database is away');
});
