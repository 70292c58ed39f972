import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterEach, expect, it, vi } from 'vitest';
import { type LocalPostgres, startLocalPostgres } from './local-postgres.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'local-postgres-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(folder: string, isDurable = false): Promise<LocalPostgres> {
  const postgres = await startLocalPostgres({ folder, isDurable });
  cleanUps.push(() => postgres.stop());
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

it('keeps its data from one start to the next, under the same URL', async () => {
  const folder = makeFolder();
  const first = await start(folder);
  await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS value');
  await first.stop();
  const second = await start(folder);
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'SELECT value FROM kept')).toEqual([{ value: 7 }]);
});

it('works in a folder whose path is too long for a Unix socket, and leaves no socket folder behind', async () => {
  const folder = join(makeFolder(), 'a'.repeat(70), 'b'.repeat(70));
  mkdirSync(folder, { recursive: true });
  const postgres = await start(folder);
  expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  const socketFolder = new URL(postgres.url).searchParams.get('host') as string;
  expect(socketFolder.startsWith(folder)).toBe(false);
  await postgres.stop();
  expect(existsSync(socketFolder)).toBe(false);
});

it('shuts down when the process that started it is killed, and starts again', async () => {
  const folder = makeFolder();
  const program = `
    import { startLocalPostgres } from '@pademelon/local-postgres';
    const { pid } = await startLocalPostgres({ folder: process.argv[1], isDurable: false });
    console.log(pid);
    setInterval(() => {}, 1000);`;
  const starter = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program, folder], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUps.push(() => starter.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  starter.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000, interval: 50 });
  const next = await start(folder);
  expect(await query(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('ends a server that still runs in the folder before it starts its own', async () => {
  const folder = makeFolder();
  const leftover = await startLocalPostgres({ folder, isDurable: false });
  const next = await start(folder);
  await leftover.ended;
  expect(isAlive(leftover.pid)).toBe(false);
  expect(await query(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('starts after a power cut, though the pid in its pid file now belongs to somebody else', async () => {
  const folder = makeFolder();
  const first = await start(folder);
  const pidFile = join(folder, 'data', 'postmaster.pid');
  const content = readFileSync(pidFile, 'utf8');
  await first.stop();
  const bystander = spawn('sleep', ['60']);
  cleanUps.push(() => bystander.kill('SIGKILL'));
  writeFileSync(pidFile, content.replace(/^\d+/, String(bystander.pid)));
  writeFileSync(join(folder, '.s.PGSQL.5432.lock'), `${bystander.pid}\n`);

  const second = await start(folder);
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
});

it('tells when the server is killed, and recovers what was committed', async () => {
  const folder = makeFolder();
  const postgres = await start(folder, true);
  await query(postgres.url, 'CREATE TABLE kept AS SELECT 7 AS value');
  process.kill(postgres.pid, 'SIGKILL');
  await postgres.ended;
  const next = await start(folder);
  expect(await query(next.url, 'SELECT value FROM kept')).toEqual([{ value: 7 }]);
});
