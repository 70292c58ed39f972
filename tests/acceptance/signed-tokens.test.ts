import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { platformSigner, type Signer, signerOf } from './support/platform-signer.ts';
import { logIn, type RestClient, restClient } from './support/rest-client.ts';
import { until } from './support/until.ts';

// Tokens with a good signature: what is wrong with each is one claim, or who signed it. tokens.test.ts has the others.

const platform = inject('platform');
let signer: Signer;
let client: RestClient;
/** What the platform itself put into a token a moment ago. */
let claims: Record<string, unknown>;

beforeAll(async () => {
  client = await logIn(platform);
  claims = JSON.parse(Buffer.from(client.token.split('.')[1] as string, 'base64url').toString());
  signer = await platformSigner(platform);
});

const doors = {
  REST: { path: '/v1/api/workspaces/list', body: '{}' },
  GraphQL: { path: '/v1/graphql', body: '{"query":"{ pipeline_by_pk(id: 1) { id } }"}' },
  inference: { path: '/v1/api/pipelines/infer/no-such-pipeline-1/no-such-pipeline', body: '[{"tensor":[1]}]' },
} as const;

/** The status at each door. */
async function statuses(token: string): Promise<Record<string, number>> {
  const answers = Object.entries(doors).map(async ([door, { path, body }]) => {
    const answer = await restClient(platform.url, token).send(path, {
      body,
      headers: { 'content-type': 'application/json' },
    });
    return [door, answer.status] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** There is no such pipeline, which only a caller who is known gets to hear. */
const welcome = { REST: 200, GraphQL: 200, inference: 404 };
const refused = { REST: 401, GraphQL: 401, inference: 401 };

const seconds = () => Math.floor(Date.now() / 1_000);

describe('A token with a good signature', () => {
  it('is taken when all of it is right, so that nothing but the claim decides below', async () => {
    expect(await statuses(client.token)).toEqual(welcome);
    expect(await statuses(signer.sign({}, { ...claims, jti: randomUUID() }))).toEqual(welcome);
  });

  const wrong: [string, () => Record<string, unknown>][] = [
    ['that has expired', () => ({ exp: seconds() - 1 })],
    ['that never expires', () => ({ exp: undefined })],
    ['that is good for a thousand years', () => ({ exp: seconds() + 1_000 * 365 * 86_400 })],
    ['that is not good yet', () => ({ nbf: seconds() + 600 })],
    ['from another issuer', () => ({ iss: 'http://evil.example/auth/realms/master' })],
    ['from another realm', () => ({ iss: `${platform.url}/auth/realms/other` })],
    ['without an issuer', () => ({ iss: undefined })],
    ['for another audience', () => ({ aud: 'sdk-client' })],
    ['without an audience', () => ({ aud: undefined })],
    ['of nobody', () => ({ sub: undefined })],
    ['of a user who does not exist', () => ({ sub: randomUUID() })],
    ['of a run that does not exist', () => ({ azp: 'run', run_id: randomUUID(), run_attempt: 1 })],
    ['of a run without its number', () => ({ azp: 'run' })],
  ];
  it.each(wrong)('%s is refused with 401 by REST, GraphQL and inference', async (_what, claim) => {
    expect(await statuses(signer.sign({}, { ...claims, jti: randomUUID(), ...claim() }))).toEqual(refused);
  });

  it.each([
    ['an id_token', { typ: 'JWT' }],
    ['without a type', { typ: undefined }],
    ['of a key that is a path', { kid: '../../../../dev/null' }],
    ['of no key', { kid: undefined }],
  ])('%s is refused', async (_what, header) => {
    expect(await statuses(signer.sign(header, { ...claims, jti: randomUUID() }))).toEqual(refused);
  });

  it('of another platform is refused, under its own key and under the name of ours', async () => {
    const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = foreign.publicKey.export({ format: 'jwk' });
    for (const kid of [randomUUID(), signer.kid]) {
      const other = signerOf(kid, foreign.privateKey);
      expect(await statuses(other.sign({}, claims))).toEqual(refused);
      expect(await statuses(other.sign({ jwk }, claims))).toEqual(refused);
      expect(await statuses(other.sign({ jku: 'http://127.0.0.1:9/keys' }, claims))).toEqual(refused);
    }
  });

  it('is refused from the moment it expires, also where it was taken before', async () => {
    const token = signer.sign({}, { ...claims, jti: randomUUID(), exp: seconds() + 5 });
    expect(await statuses(token)).toEqual(welcome);
    await until(async () => (await statuses(token))['REST'] === 401, { withinMs: 10_000, what: 'its end' });
    expect(await statuses(token)).toEqual(refused);
  });
});
