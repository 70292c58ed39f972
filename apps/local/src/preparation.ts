import { fork } from 'node:child_process';
import { once } from 'node:events';
import { SettingError } from '@pademelon/runtime/settings';
import type { FirstUser } from './first-user.ts';
import { nodeFlagsFor, programPath } from './programs.ts';

/** What the launcher asks of `prepare`, over its IPC channel: neither arguments nor environment show the password. */
export interface PreparationOrder {
  readonly databaseUrl: string;
  readonly credentialsFile: string;
  /** Made when missing; undefined when the key comes from the environment. */
  readonly secretKeyFile: string | undefined;
  /** The first user's. */
  readonly email: string;
}

export interface PreparationAnswer {
  readonly appliedMigrations: readonly string[];
  readonly firstUser: FirstUser;
}

/** Migrates the database and makes the first user. Throws a SettingError with the reason when that fails. */
export async function prepareDatabase(order: PreparationOrder, signal: AbortSignal): Promise<PreparationAnswer> {
  const child = fork(programPath('local', 'prepare'), [], {
    execArgv: nodeFlagsFor([]),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
    // A group of its own: Ctrl-C reaches the launcher only.
    detached: true,
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  // An abort kills the child and is told here too.
  child.on('error', () => undefined);
  let answer: PreparationAnswer | undefined;
  child.once('message', (message) => {
    answer = message as PreparationAnswer;
  });
  child.send(order, () => undefined);
  await once(child, 'close');
  if (answer === undefined && !signal.aborted) {
    throw new SettingError(
      `The database could not be prepared. ${complaint.trim() || 'The process ended without a word.'}`,
    );
  }
  signal.throwIfAborted();
  return answer as PreparationAnswer;
}
