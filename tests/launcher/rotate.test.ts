import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { launch, logIn, makeHome } from './support/launcher.ts';

const keys = { old: `2026:${'ab'.repeat(32)}`, new: `2027:${'cd'.repeat(32)}` };

/** Resolves to the exit status of `npm run rotate` and what it said, which has no stack. */
async function rotate(home: string, url: string, ...options: string[]): Promise<[unknown, string]> {
  const command = ['sh', 'scripts/bootstrap.sh', 'rotate', ...options];
  const run = await launch({ PADEMELON_HOME: home, PORT: new URL(url).port }, command);
  const status = await run.ended;
  expect(run.output()).not.toMatch(/\n\s+at /);
  return [status, run.output().trim()];
}

it('puts connections under the first key, after which the one before is of no use', async () => {
  const home = makeHome();
  const start = async (sealingKeys: string) => {
    const platform = await launch({ PADEMELON_HOME: home, PADEMELON_SEALING_KEYS: sealingKeys });
    await platform.ready();
    const { access_token: token } = (await logIn(platform.url, home)).body;
    const ask = async (what: string, body: object) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const url = `${platform.url}/v1/api/connections/${what}`;
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    };
    const stop = async () => {
      platform.process.kill('SIGTERM');
      await platform.ended;
    };
    return { url: platform.url, ask, stop };
  };

  const before = await start(keys.old);
  await before.ask('create', { name: 'warehouse', type: 'X', details: { password: 'quokka' } });
  await before.stop();

  const during = await start(`${keys.new},${keys.old}`);
  expect(await rotate(home, during.url)).toEqual([
    0,
    'Connections put under the key 2027: 1.\nEvery connection is sealed with it now: older keys are of no use any more, but for backups from before.',
  ]);
  const file = join(home, 'other.json');
  writeFileSync(file, '{"username": "admin@pademelon.local", "password": "wrong"}');
  expect(await rotate(home, during.url, '--credentials', file)).toEqual([
    1,
    `${during.url} does not accept the password that ${file} has for admin@pademelon.local. Correct it, or name another file: npm run rotate -- --credentials FILE.`,
  ]);
  await during.stop();

  const after = await start(keys.new);
  expect(await after.ask('get', { name: 'warehouse' })).toMatchObject({ details: { password: 'quokka' } });
  await after.stop();

  // A key that was dropped too early is missed by name.
  const early = await start(keys.old);
  const [status, said] = await rotate(home, early.url);
  expect(status).toBe(1);
  expect(said).toMatch(
    /^Connections put under the key 2026: 0\.\nConnections that no key of the platform opens: [0-9a-f-]{36}\. Add the key/,
  );
});

it('says so where nothing runs, and where nobody can log in', async () => {
  const home = makeHome();
  const url = 'http://127.0.0.1:1';
  expect(await rotate(home, url)).toEqual([
    1,
    `${join(home, 'credentials.json')} has no "username" and "password". Name a file that has those of an administrator: npm run rotate -- --credentials FILE.`,
  ]);
  writeFileSync(join(home, 'credentials.json'), '{"username": "a@ex.co", "password": "b"}');
  expect(await rotate(home, url)).toEqual([
    1,
    `No Pademelon answers at ${url}. Start it, or say where it is: npm run rotate -- --url http://….`,
  ]);
  expect(await rotate(home, url, '--url', 'here')).toEqual([
    1,
    '--url must be an address such as http://127.0.0.1:8080, but is here.',
  ]);
});
