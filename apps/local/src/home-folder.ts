import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { SettingError } from '@pademelon/runtime/settings';

/** Raised when a later release lays the folder out in a way that this one must not touch. */
const layout = 1;

export interface HomeFolder {
  readonly path: string;
  readonly logs: string;
  readonly database: string;
  readonly credentialsFile: string;
  readonly secretKeyFile: string;
  /** Lets another launcher use the folder. Happens by itself when this process ends. */
  release(): void;
}

/**
 * Opens the data folder, making it at first use (mode 0700), and keeps every other launcher out of it. Throws a
 * SettingError with one sentence when the folder cannot be used.
 */
export function openHomeFolder(path: string): HomeFolder {
  makeFolder(path);
  const lock = lockFolder(path);
  try {
    checkLayout(path);
    const home: HomeFolder = {
      path,
      logs: join(path, 'logs'),
      database: join(path, 'postgres'),
      credentialsFile: join(path, 'credentials.json'),
      secretKeyFile: join(path, 'secret.key'),
      release: () => closeSync(lock),
    };
    mkdirSync(home.logs, { recursive: true, mode: 0o700 });
    return home;
  } catch (error) {
    closeSync(lock);
    throw sentenceFor(path, error);
  }
}

function makeFolder(path: string): void {
  try {
    makeFolders(path);
    const probe = join(path, `.write-probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw sentenceFor(path, error);
  }
}

/** As mkdir with `recursive`, which tries for ever where a file system says that the folder's parent is missing (/proc). */
function makeFolders(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolders(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

/**
 * Takes an advisory lock (flock) on a file in the folder. The lock belongs to the open file, which the `flock` command
 * shares with us only while it takes it; the kernel drops it when we end, in whatever way.
 */
function lockFolder(path: string): number {
  const file = join(path, 'launcher.lock');
  let lock: number;
  try {
    lock = openSync(file, 'a+', 0o600);
  } catch (error) {
    throw sentenceFor(path, error);
  }
  const { status, error } = spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', lock] });
  if (error || status !== 0) {
    const holder = readFileSync(file, 'utf8').trim();
    closeSync(lock);
    throw new SettingError(
      error
        ? `The data folder ${path} cannot be locked: ${error.message}. The command flock (package util-linux) is needed.`
        : `The data folder ${path} is in use by another Pademelon${holder && ` (process ${holder})`}. Stop that one, or choose another folder: PADEMELON_HOME=<folder> npm start.`,
    );
  }
  ftruncateSync(lock);
  writeSync(lock, `${process.pid}\n`);
  return lock;
}

function checkLayout(path: string): void {
  const file = join(path, 'layout');
  let found: string;
  try {
    found = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    writeFileSync(file, `${layout}\n`, { mode: 0o600 });
    return;
  }
  if (found === String(layout)) return;
  throw new SettingError(
    /^\d+$/.test(found) && Number(found) > layout
      ? `The data folder ${path} was written by a newer Pademelon (layout ${found}, this one knows ${layout}). Update Pademelon, or choose another folder with PADEMELON_HOME.`
      : `The data folder ${path} is damaged: its file "layout" says ${JSON.stringify(found.slice(0, 40))} where ${layout} belongs. Restore it from a backup, or choose another folder with PADEMELON_HOME.`,
  );
}

function sentenceFor(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : reasons[code];
  if (error instanceof SettingError) return error;
  const otherwise = 'Choose another folder with PADEMELON_HOME.';
  if (reason === undefined) return new SettingError(`The data folder ${path} cannot be used: ${message}. ${otherwise}`);
  const kind = statSync(path, { throwIfNoEntry: false })?.isFile() ? 'it is a file' : reason;
  return new SettingError(`The data folder ${path} cannot be used: ${kind}. ${otherwise}`);
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'it cannot be written by this user',
  EPERM: 'it cannot be written by this user',
  EROFS: 'it is on a read-only disk',
  ENOSPC: 'its disk is full',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it is not a folder',
  ENOTDIR: 'a part of its path is a file',
  ELOOP: 'its path is a loop of links',
  ENAMETOOLONG: 'its path is too long',
};
