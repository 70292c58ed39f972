import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { createServiceAccount, startTokenEndpoint } from './service-account.ts';

async function setup() {
  const endpoint = await startTokenEndpoint(0);
  onTestFinished(() => endpoint.close());
  const account = createServiceAccount('demo', endpoint);
  const ask = async (privateKey: string) => {
    const signed = [{ alg: 'RS256' }, { iss: account.client_email }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const assertion = `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    const answer = await fetch(account.token_uri, {
      method: 'POST',
      body: new URLSearchParams({ grant_type, assertion }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return { account, ask };
}

it('gives a token for an assertion that the account has signed', async () => {
  const { account, ask } = await setup();
  const { status, body } = await ask(account.private_key);
  expect(status).toBe(200);
  expect(body).toMatchObject({ access_token: expect.stringMatching(/^.{20,}$/), token_type: 'Bearer' });
});

it('refuses an assertion that another key has signed', async () => {
  const { ask } = await setup();
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const { status, body } = await ask(privateKey);
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: 'invalid_grant' });
});
