import type { LightMyRequestResponse } from 'fastify';
import { createTestApi, type TestApi, type TestApiOptions } from '../test-api.ts';
import { issuerPath, protocolPath } from './issuer-path.ts';

export interface TestIdentity extends TestApi {
  /** A form by POST to a path of the issuer, such as `/token`. */
  form(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  logIn(username: string, password: string): Promise<LightMyRequestResponse>;
  /** Any API request with a token. */
  call(token: string, url: string, payload?: object): Promise<LightMyRequestResponse>;
}

export const password = 'correct horse battery staple';

/** The API with real log-in; `grace@example.org` (a user) and `linus@example.org` (an administrator) have the password. */
export async function createTestIdentity(options: Omit<TestApiOptions, 'isLoginReal'> = {}): Promise<TestIdentity> {
  const api = await createTestApi({ isLoginReal: true, ...options });
  if (options.database === undefined) await addUsers(api);
  const form: TestIdentity['form'] = (path, fields, headers = {}) =>
    api.app.inject({
      method: 'POST',
      url: path.startsWith(issuerPath) ? path : `${protocolPath}${path}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: new URLSearchParams(fields).toString(),
    });
  return {
    ...api,
    form,
    logIn: (username, given) =>
      form('/token', { client_id: 'sdk-client', grant_type: 'password', username, password: given }),
    call: (token, url, payload = {}) =>
      api.app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${token}` } }),
  };
}

async function addUsers(api: TestApi): Promise<void> {
  const root = { userId: 'root', email: 'root@example.org', isAdmin: true };
  for (const email of ['grace@example.org', 'linus@example.org']) {
    await api.services.users.invite(root, { email, password });
  }
  await api.database.pool.query("UPDATE users SET is_admin = true WHERE email = 'linus@example.org'");
}

export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString('utf8'));
}

export { issuerPath };
