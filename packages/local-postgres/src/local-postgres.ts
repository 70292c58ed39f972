import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries } from './binaries.ts';
import { endLeftoverServer } from './leftover-server.ts';
import { prepareSocketFolder, removeSocketFolder } from './socket-folder.ts';
import { type Identity, unprivilegedIdentity } from './unprivileged-identity.ts';

/** The kernel asks the server for a fast shutdown when its parent, this process, has ended in any way. */
const dieWithParent = ['setpriv', '--pdeathsig', 'INT', '--'];

export interface LocalPostgres {
  /** Connection URL of the database `pademelon` over a Unix socket; the same at every start in one folder. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the server process ends, wanted or not. */
  readonly ended: Promise<void>;
  /** Fast shutdown: open transactions are rolled back, committed data is flushed. */
  stop(): Promise<void>;
}

export interface LocalPostgresOptions {
  readonly folder: string;
  /** `false` is for tests only: it trades crash safety for speed. */
  readonly isDurable?: boolean;
  /** Gets each line that the server logs. */
  readonly onMessage?: (line: string) => void;
}

/**
 * Starts a private PostgreSQL in `folder`, which is initialised at first use. It listens on a Unix socket only, which
 * only the same user can reach, so it needs neither a port nor a password. The server shuts down when the process that
 * started it ends, however it ends; one that is still on its way out is waited for: one folder has one server.
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const binaries = findBinaries();
  const { folder } = options;
  const data = join(folder, 'data');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const identity = unprivilegedIdentity(binaries, folder);
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid ?? identity.uid);
  await endLeftoverServer(data);
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(binaries, folder, identity);

  const socketFolder = prepareSocketFolder(folder, identity.uid ?? process.getuid?.() ?? 0);
  const durability = options.isDurable === false ? ['-c', 'fsync=off', '-c', 'synchronous_commit=off'] : [];
  const server = spawnAs(identity, join(binaries, 'postgres'), [
    ...['-D', data, '-k', socketFolder, '-c', 'listen_addresses=', '-c', 'max_connections=200'],
    ...['-c', 'shared_buffers=128MB', '-c', 'unix_socket_permissions=0700', '-c', 'jit=off'],
    ...durability,
  ]);
  const ended = once(server, 'exit').then(() => undefined);
  const messages = collectMessages(server, options.onMessage);
  const base = `postgresql:///postgres?host=${encodeURIComponent(socketFolder)}&user=pademelon`;
  await waitUntilReady(base, server, messages);
  await createDatabase(base);
  return {
    url: base.replace('///postgres', '///pademelon'),
    pid: server.pid as number,
    ended,
    stop: async () => {
      if (server.exitCode === null && server.signalCode === null) server.kill('SIGINT');
      await ended;
      removeSocketFolder(folder, socketFolder);
    },
  };
}

async function initialise(binaries: string, folder: string, identity: Identity): Promise<void> {
  const fresh = join(folder, 'data.new');
  rmSync(fresh, { recursive: true, force: true });
  const initdb = spawnAs(identity, join(binaries, 'initdb'), [
    ...['-D', fresh, '-U', 'pademelon', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
  ]);
  let output = '';
  initdb.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = (await once(initdb, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`PostgreSQL could not be initialised in ${folder}: ${output.trim()}`);
  // Renamed when whole: a start that is killed half-way leaves nothing that looks like a database.
  renameSync(fresh, join(folder, 'data'));
}

function spawnAs(identity: Identity, command: string, args: readonly string[]): ChildProcess {
  const [program, ...prefix] = [...identity.prefix, ...dieWithParent, command];
  return spawn(program as string, [...prefix, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: Ctrl-C reaches the launcher only, which stops the services before their database.
    detached: true,
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
    ...(identity.uid === undefined ? {} : { uid: identity.uid, gid: identity.gid }),
  });
}

/** The last lines that the server logged, for the sentence that says why it did not start. */
function collectMessages(server: ChildProcess, onMessage: LocalPostgresOptions['onMessage']): readonly string[] {
  const messages: string[] = [];
  if (server.stderr === null) return messages;
  createInterface({ input: server.stderr }).on('line', (line) => {
    messages.push(line);
    if (messages.length > 20) messages.shift();
    onMessage?.(line);
  });
  return messages;
}

async function waitUntilReady(url: string, server: ChildProcess, messages: readonly string[]): Promise<void> {
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null) {
      throw new Error(`PostgreSQL ended at its start: ${messages.join('\n') || `status ${server.exitCode}`}`);
    }
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await client.end().catch(() => undefined);
      await delay(20);
    }
  }
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = 'pademelon'");
    if (rowCount === 0) await client.query('CREATE DATABASE pademelon');
  } finally {
    await client.end();
  }
}
