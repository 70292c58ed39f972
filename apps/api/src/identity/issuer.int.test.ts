import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserService } from '@pademelon/domain';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestIdentity, type TestIdentity } from './identity-test-bench.ts';
import { Issuer } from './issuer.ts';

let identity: TestIdentity;

beforeAll(async () => {
  identity = await createTestIdentity();
});

afterAll(() => identity.close());

test.each([
  ['the database is away', { code: 'ECONNREFUSED' }, 503, 'temporarily_unavailable'],
  ['something else is broken', { code: 'XX000' }, 500, 'server_error'],
])('when %s, a log-in says so and nothing of the cause', async (_, cause, status, error) => {
  class BrokenUsers extends UserService {
    override async logIn(): Promise<never> {
      throw Object.assign(new Error('connect ECONNREFUSED /run/secret/path'), cause);
    }
  }
  const users = new BrokenUsers({} as ConstructorParameters<typeof UserService>[0]);
  const issuer = new Issuer({ ...identity.services.identity.dependencies, users });
  await issuer.runOnce();
  const server = createServer((request, response) => void issuer.handle(request, response, '::1'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const reply = await fetch(`http://127.0.0.1:${port}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'sdk-client', grant_type: 'password', username: 'a', password: 'b' }),
    });
    expect(reply.status).toBe(status);
    const text = await reply.text();
    expect(JSON.parse(text)).toMatchObject({ error });
    expect(text).not.toContain('secret');
  } finally {
    server.close();
  }
});

test('two issuers that start on one database agree on the key that signs', async () => {
  await identity.database.pool.query('DELETE FROM signing_keys');
  const issuers = [1, 2, 3].map(() => new Issuer(identity.services.identity.dependencies));
  await Promise.all(issuers.map((issuer) => issuer.runOnce()));
  const load = () => identity.services.identity.dependencies.signingKeys.load();
  const [first, second] = [await load(), await load()];
  expect(first[0]?.kid).toBe(second[0]?.kid);
});
