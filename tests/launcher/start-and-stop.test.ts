import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startTestPostgres } from '@pademelon/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { isReady, launch, logIn, makeHome, untilReady } from './support/launcher.ts';
import { memoryOf, processTree, survivors } from './support/processes.ts';

const soon = { timeout: 15_000, interval: 50 };
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

it('starts, tells how to begin, lets the first user in, and leaves nothing behind on SIGTERM', async () => {
  const home = join(makeHome(), 'new');
  const start = await launch({ PADEMELON_HOME: home });
  await start.ready();
  const credentialsFile = join(home, 'credentials.json');
  const credentials = JSON.parse(readFileSync(credentialsFile, 'utf8'));
  expect(Object.keys(credentials).sort()).toEqual(['password', 'username']);
  expect([modeOf(home), modeOf(credentialsFile), modeOf(join(home, 'secret.key'))]).toEqual(['700', '600', '600']);
  expect(start.output()).toContain(`Pademelon is ready at ${start.url}`);
  expect(start.output()).toContain(credentials.username);
  expect(start.output()).toContain(credentials.password);
  expect(start.output()).toContain(`"WALLAROO_URL": "${start.url}"`);
  expect(start.output()).toMatch(/\nimport wallaroo\nwl = wallaroo\.Client\(\)\n/);
  // A warning may be true of this machine, such as that runs cannot be jailed.
  expect(start.output()).not.toMatch(/error|starting it again/i);
  expect(await logIn(start.url, home)).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });

  const processes = processTree(start.pid);
  expect(processes.length).toBeGreaterThan(4);
  start.process.kill('SIGTERM');
  expect(await start.ended).toBe(0);
  expect(survivors(processes)).toEqual([]);
  for (const service of ['api', 'gateway', 'inference', 'postgres']) {
    expect(readFileSync(join(home, 'logs', `${service}.log`), 'utf8')).not.toContain(credentials.password);
  }
});

it('keeps users and their passwords from one start to the next, and takes little memory', async () => {
  const first = await launch();
  await first.ready();
  const credentials = readFileSync(join(first.home, 'credentials.json'), 'utf8');
  first.process.kill('SIGINT');
  expect(await first.ended).toBe(0);

  const startedAt = performance.now();
  const second = await launch({ PADEMELON_HOME: first.home });
  await second.ready();
  console.log(`second start to ready: ${((performance.now() - startedAt) / 1000).toFixed(2)} s`);
  expect(readFileSync(join(first.home, 'credentials.json'), 'utf8')).toBe(credentials);
  expect(second.output()).toContain(JSON.parse(credentials).password);
  expect((await logIn(second.url, first.home)).status).toBe(200);

  // What the machine has less: Node's own pages, which all processes share, count once.
  const ours = processTree(second.pid).filter(({ command }) => !command.includes('postgres'));
  const rows = ours.map(({ pid, command }) => ({ command, ...memoryOf(pid) }));
  const sum = (key: 'resident' | 'proportional'): number => rows.reduce((total, row) => total + row[key], 0);
  rows.push({ command: 'all but PostgreSQL', resident: sum('resident'), proportional: sum('proportional') });
  for (const row of rows) {
    const [resident, proportional] = [row.resident, row.proportional].map((value) => value.toFixed(0).padStart(5));
    console.log(`${proportional} MB (${resident} MB with shared pages)  ${row.command.slice(-60)}`);
  }
  expect(rows.at(-1)?.proportional).toBeLessThan(400);
});

it('keeps a second launcher off a data folder that is in use', async () => {
  const first = await launch();
  await first.ready();
  const second = await launch({ PADEMELON_HOME: first.home });
  expect(await second.ended).toBe(1);
  expect(second.output().trim()).toBe(
    `The data folder ${first.home} is in use by another Pademelon (process ${first.pid}). Stop that one, or choose another folder: PADEMELON_HOME=<folder> npm start.`,
  );
  expect(await isReady(first.url)).toBe(true);
});

it('leaves nothing behind when it is killed, and starts again on the same data', async () => {
  const first = await launch();
  await first.ready();
  const processes = processTree(first.pid);
  first.process.kill('SIGKILL');
  await vi.waitFor(() => expect(survivors(processes)).toEqual([]), { timeout: 5_000, interval: 50 });

  const second = await launch({ PADEMELON_HOME: first.home });
  await second.ready();
  expect((await logIn(second.url, first.home)).status).toBe(200);
});

it('starts at once after it was killed, while the old processes are still on their way out', async () => {
  const first = await launch();
  await first.ready();
  const processes = processTree(first.pid);
  first.process.kill('SIGKILL');
  await first.ended;
  const second = await launch({ PADEMELON_HOME: first.home });
  await second.ready();
  expect((await logIn(second.url, first.home)).status).toBe(200);
  // Whoever talked to the database when it was killed gives up on it in its own time.
  await vi.waitFor(() => expect(survivors(processes)).toEqual([]), { timeout: 30_000, interval: 50 });
});

it('stops while it is still starting', async () => {
  const start = await launch();
  await vi.waitFor(
    () => expect(processTree(start.pid).some(({ command }) => /bin\/(postgres|initdb) /.test(command))).toBe(true),
    {
      timeout: 20_000,
      interval: 10,
    },
  );
  const processes = processTree(start.pid);
  start.process.kill('SIGTERM');
  expect(await start.ended).toBe(0);
  expect(survivors(processes)).toEqual([]);
  expect(start.output()).not.toContain('is ready');
});

it('takes a signal that comes twice at once for one, as npm and a terminal send it, and a later one for "at once"', async () => {
  const start = await launch();
  await start.ready();
  const processes = processTree(start.pid);
  // Ctrl-C reaches the whole group, and npm passes it on to its child again.
  process.kill(-start.pid, 'SIGINT');
  start.process.kill('SIGINT');
  expect(await start.ended).toBe(0);
  expect(start.output()).toContain('Stopped.');
  expect(survivors(processes)).toEqual([]);
});

it('ends everything at once when it is told to stop again', async () => {
  const start = await launch();
  await start.ready();
  const processes = processTree(start.pid);
  // A service that does not listen holds the orderly stop up.
  const gateway = processes.find(({ command }) => command.includes('gateway'));
  process.kill(gateway?.pid as number, 'SIGSTOP');
  start.process.kill('SIGTERM');
  await vi.waitFor(() => expect(start.output()).toContain('Stopping (SIGTERM)'), soon);
  await vi.waitFor(
    () => {
      start.process.kill('SIGTERM');
      expect(start.output()).toContain('Ending everything at once.');
    },
    { timeout: 5_000, interval: 300 },
  );
  expect(await start.ended).toBe(1);
  await vi.waitFor(() => expect(survivors(processes)).toEqual([]), { timeout: 5_000, interval: 50 });
});

it.each(['SIGTERM', 'SIGKILL'] as const)('stops everything when npm gets %s', async (signal) => {
  const start = await launch({}, ['npm', 'start']);
  await start.ready();
  const processes = processTree(start.pid);
  start.process.kill(signal);
  await start.ended;
  await vi.waitFor(() => expect(survivors(processes)).toEqual([]), { timeout: 8_000, interval: 50 });
});

it.each(['api', 'gateway', 'inference', 'postgres'])('starts the service %s again when it is killed', async (name) => {
  const start = await launch();
  await start.ready();
  const pattern = name === 'postgres' ? /bin\/postgres / : new RegExp(`apps/${name}/`);
  const victim = processTree(start.pid).find(({ command }) => pattern.test(command));
  process.kill(victim?.pid as number, 'SIGKILL');
  await vi.waitFor(() => expect(start.output()).toMatch(new RegExp(`${name}: .*starting it again in 0.2 s`)), soon);
  await untilReady(start.url);
  expect((await logIn(start.url, start.home)).status).toBe(200);
  const successor = processTree(start.pid).find(({ command }) => pattern.test(command));
  expect(successor?.pid).not.toBe(victim?.pid);
});

it('uses the database of DATABASE_URL instead of its own', async () => {
  const postgres = await startTestPostgres();
  onTestFinished(() => postgres.stop());
  const start = await launch({ DATABASE_URL: postgres.url });
  await start.ready();
  expect((await logIn(start.url, start.home)).status).toBe(200);
  expect(processTree(start.pid).filter(({ command }) => /postgres( |$)/.test(command) && /-D/.test(command))).toEqual(
    [],
  );
  expect(() => statSync(join(start.home, 'postgres'))).toThrow('ENOENT');
  start.process.kill('SIGTERM');
  expect(await start.ended).toBe(0);
});

it('gives out links with PUBLIC_URL, whatever it listens on', async () => {
  const start = await launch({ PUBLIC_URL: 'https://models.example.org/' });
  await start.ready();
  expect(start.output()).toContain('Pademelon is ready at https://models.example.org ');
  const answer = await fetch(`${start.url}/auth/realms/master/.well-known/openid-configuration`);
  expect(await answer.json()).toMatchObject({ issuer: 'https://models.example.org/auth/realms/master' });
});

it('chooses a free port when PORT is 0', async () => {
  const start = await launch({ PORT: '0' });
  await start.ready();
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(start.output()) ?? [];
  expect(url).not.toMatch(/:0$/);
  expect(await isReady(url as string)).toBe(true);
});

it('warns when log-in is off', async () => {
  const start = await launch({ AUTH: 'off' });
  await start.ready();
  expect(start.output()).toContain('WARNING: log-in is off (AUTH=off).');
});
