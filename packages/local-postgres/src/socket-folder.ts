import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Unix socket's path holds 107 bytes on Linux; PostgreSQL adds this name to the folder's. */
const longestPath = 107;
const socketName = '.s.PGSQL.5432';

/**
 * The folder for the socket of the server in `folder`, which runs as the user id `owner`: that folder itself, or, where its path is too long for a socket,
 * a private one with a short path. The same folder always gives the same answer, so that a restarted server is found
 * under the URL of the one before. What a killed server left there is removed: call it only when none is running.
 */
export function prepareSocketFolder(folder: string, owner: number): string {
  const socketFolder = fits(folder) ? folder : makeShortFolder(folder, owner);
  for (const name of [socketName, `${socketName}.lock`]) rmSync(join(socketFolder, name), { force: true });
  return socketFolder;
}

/** Removes what prepareSocketFolder made elsewhere. */
export function removeSocketFolder(folder: string, socketFolder: string): void {
  if (socketFolder !== folder) rmSync(socketFolder, { recursive: true, force: true });
}

function makeShortFolder(folder: string, owner: number): string {
  const name = `pademelon-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  const path = [tmpdir(), '/tmp'].map((parent) => join(parent, name)).find(fits);
  if (path === undefined) throw new Error(`No folder with a path short enough for PostgreSQL's socket: tried ${name}.`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  // Anybody may create names in the temporary folder: a folder or link of somebody else's must not carry our socket.
  if (!found.isDirectory() || (found.uid !== process.getuid?.() && found.uid !== owner)) {
    throw new Error(
      `${path} is needed for PostgreSQL's socket, but belongs to somebody else. Use a shorter data folder.`,
    );
  }
  chmodSync(path, 0o700);
  if (found.uid !== owner) chownSync(path, owner, owner);
  return path;
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, socketName)) <= longestPath;
}
