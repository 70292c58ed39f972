// `npm run rotate`: puts the details of all connections under the sealing key that is first now. It asks the running
// platform, which has the keys and the rows, as an administrator. Ends with 0 when no other key is needed any more.
// Options: --url of the platform, and --credentials, a JSON file with "username" and "password"; by default both are
// those of `npm start` with the same settings.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readPlatformSettings } from '@pademelon/runtime/settings';
import { readCredentials } from './credentials.ts';

interface Rotation {
  readonly key_id: string;
  readonly rewrapped: number;
  readonly failed: readonly string[];
}

const tokenPath = '/auth/realms/master/protocol/openid-connect/token';

async function ask<T>(url: string, request: RequestInit): Promise<{ ok: boolean; body: T }> {
  let response: Response;
  try {
    response = await fetch(url, { ...request, method: 'POST', signal: AbortSignal.timeout(600_000) });
  } catch {
    throw new Error(
      `No Pademelon answers at ${new URL(url).origin}. Start it, or say where it is: npm run rotate -- --url http://….`,
    );
  }
  return { ok: response.ok, body: (await response.json().catch(() => ({}))) as T };
}

async function logIn(url: string, credentialsFile: string): Promise<string> {
  const credentials = readCredentials(credentialsFile);
  if (credentials === undefined) {
    throw new Error(
      `${credentialsFile} has no "username" and "password". Name a file that has those of an administrator: npm run rotate -- --credentials FILE.`,
    );
  }
  const form = new URLSearchParams({ grant_type: 'password', client_id: 'sdk-client', ...credentials });
  const { ok, body } = await ask<{ access_token?: string }>(url + tokenPath, { body: form });
  if (!ok || body.access_token === undefined) {
    throw new Error(
      `${url} does not accept the password that ${credentialsFile} has for ${credentials.username}. Correct it, or name another file: npm run rotate -- --credentials FILE.`,
    );
  }
  return body.access_token;
}

async function rotate(): Promise<void> {
  const settings = readPlatformSettings();
  const { values } = parseArgs({ options: { url: { type: 'string' }, credentials: { type: 'string' } } });
  const url = (values.url ?? settings.publicUrl).replace(/\/+$/, '');
  if (!URL.canParse(url)) throw new Error(`--url must be an address such as http://127.0.0.1:8080, but is ${url}.`);
  const token = await logIn(url, values.credentials ?? join(settings.home, 'credentials.json'));
  const { ok, body } = await ask<Rotation & { msg?: string }>(`${url}/v1/api/admin/rotate_connection_keys`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  if (!ok) throw new Error(`The keys were not rotated. ${body.msg ?? 'The log of the API says why.'}`);
  console.log(`Connections put under the key ${body.key_id}: ${body.rewrapped}.`);
  if (body.failed.length === 0) {
    console.log(
      'Every connection is sealed with it now: older keys are of no use any more, but for backups from before.',
    );
    return;
  }
  throw new Error(
    `Connections that no key of the platform opens: ${body.failed.join(', ')}. Add the key that is missing and rotate again, or make them anew.`,
  );
}

try {
  await rotate();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
