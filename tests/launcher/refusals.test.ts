import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../packages/runtime/src/ports.ts';
import { launch, makeHome } from './support/launcher.ts';

/** Runs a start that must fail; resolves to what it said, which is one sentence or two and no stack. */
async function refusal(settings: Readonly<Record<string, string>>): Promise<string> {
  const start = await launch(settings);
  expect(await start.ended, start.output()).toBe(1);
  const said = start.output().trim();
  expect(said).not.toMatch(/\n\s+at |Error:/);
  expect(said.split('\n').length).toBeLessThanOrEqual(2);
  return said;
}

it('names a port that is taken and how to choose another, before it touches anything', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const home = join(makeHome(), 'home');
  const said = await refusal({ PORT: String(port), PADEMELON_HOME: home });
  expect(said).toBe(
    `Port ${port} on 127.0.0.1 is already in use. Stop what uses it, or choose another port: PORT=${port + 1} npm start.`,
  );
  expect(existsSync(join(home, 'postgres'))).toBe(false);
});

it.each([
  ['a file', '', 'it is a file'],
  ['in a file', '/below', 'a part of its path is a file'],
])('says so when the data folder is %s', async (_name, suffix, reason) => {
  const file = join(makeHome(), 'file');
  writeFileSync(file, 'not a folder');
  expect(await refusal({ PADEMELON_HOME: `${file}${suffix}` })).toBe(
    `The data folder ${file}${suffix} cannot be used: ${reason}. Choose another folder with PADEMELON_HOME.`,
  );
});

it('says so when the data folder cannot be made', async () => {
  expect(await refusal({ PADEMELON_HOME: '/proc/pademelon' })).toMatch(
    /^The data folder \/proc\/pademelon cannot be used: .+\. Choose another folder with PADEMELON_HOME\.$/,
  );
});

it.skipIf(process.getuid?.() === 0)(
  'says so when the data folder cannot be written (root can write everywhere)',
  async () => {
    const home = join(makeHome(), 'home');
    mkdirSync(home, { mode: 0o500 });
    expect(await refusal({ PADEMELON_HOME: home })).toContain('it cannot be written by this user');
  },
);

it('leaves the data folder of a newer release alone', async () => {
  const home = makeHome();
  writeFileSync(join(home, 'layout'), '2\n');
  expect(await refusal({ PADEMELON_HOME: home })).toMatch(
    /was written by a newer Pademelon \(layout 2, this one knows 1\)/,
  );
  expect(readdirSync(home).sort()).toEqual(['launcher.lock', 'layout']);
});

it('does not guess what a damaged data folder means', async () => {
  const home = makeHome();
  writeFileSync(join(home, 'layout'), 'gibberish');
  expect(await refusal({ PADEMELON_HOME: home })).toMatch(/is damaged: its file "layout" says "gibberish"/);
});

it('names a damaged database and leaves it as it is', async () => {
  const home = makeHome();
  mkdirSync(join(home, 'postgres', 'data'), { recursive: true });
  writeFileSync(join(home, 'postgres', 'data', 'PG_VERSION'), '9.4\n');
  const start = await launch({ PADEMELON_HOME: home });
  expect(await start.ended).toBe(1);
  expect(start.output()).toContain('PostgreSQL');
  expect(start.output()).not.toMatch(/\n\s+at /);
  expect(readdirSync(join(home, 'postgres', 'data'))).toEqual(['PG_VERSION']);
});

it.each([
  [{ PORT: 'http' }, 'PORT must be a whole number from 0 to 65535, but is "http".'],
  [{ HOST: 'not-here.invalid' }, 'HOST is "not-here.invalid", which is no address of this machine.'],
  [{ AUTH: 'off', HOST: '0.0.0.0' }, 'AUTH=off lets every caller in, so it works on a loopback address only'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of'],
])('names a setting that cannot be used: %o', async (settings, sentence) => {
  expect(await refusal(settings as Record<string, string>)).toContain(sentence);
});

it('says why the database of DATABASE_URL cannot be used, without its password', async () => {
  const port = await findFreePort();
  const said = await refusal({ DATABASE_URL: `postgresql://somebody:secret-word@127.0.0.1:${port}/none` });
  expect(said).toContain('The database could not be prepared.');
  expect(said).toContain('ECONNREFUSED');
  expect(said).not.toContain('secret-word');
});
