import type { FirstUser } from './first-user.ts';

export interface Announcement {
  readonly publicUrl: string;
  readonly home: string;
  readonly credentialsFile: string;
  readonly firstUser: FirstUser;
  readonly isAuthOff: boolean;
  readonly startMs: number;
}

/** What the terminal shows when the platform is ready. */
export function announce(announcement: Announcement): string {
  const { publicUrl, home, credentialsFile, firstUser, isAuthOff, startMs } = announcement;
  const password = firstUser.password ?? 'the one you chose; no credentials file of this data folder tells it';
  return [
    '',
    `Pademelon is ready at ${publicUrl} (started in ${(startMs / 1000).toFixed(1)} s)`,
    '',
    `  E-mail    ${firstUser.email}`,
    `  Password  ${password}`,
    `  Data      ${home}`,
    '',
    ...(isAuthOff ? ['WARNING: log-in is off (AUTH=off). Every program on this machine can do everything.', ''] : []),
    'To begin in a notebook on this machine:',
    '',
    ...notebookLines(publicUrl, credentialsFile),
    '',
    'Ctrl-C stops it.',
    '',
  ].join('\n');
}

/**
 * Three lines that log both generations of the SDK in: the older one needs WALLAROO_AUTH_URL too, the newer one
 * ignores it.
 */
export function notebookLines(publicUrl: string, credentialsFile: string): string[] {
  const variables = {
    WALLAROO_URL: publicUrl,
    WALLAROO_AUTH_URL: publicUrl,
    WALLAROO_SDK_AUTH_TYPE: 'user_password',
    WALLAROO_SDK_CREDENTIALS: credentialsFile,
  };
  const pairs = Object.entries(variables).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return [`import os; os.environ.update({${pairs.join(', ')}})`, 'import wallaroo', 'wl = wallaroo.Client()'];
}
