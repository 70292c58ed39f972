import type { UserService } from '@pademelon/domain';
import { type Credentials, readCredentials, writeCredentials } from './credentials.ts';

export interface FirstUser {
  readonly email: string;
  /** Undefined when the user exists and no credentials file tells its password. */
  readonly password: string | undefined;
}

/**
 * Makes sure that there is a user, and that the credentials file tells its password when this installation made it. The
 * file is written before the user: whoever interrupts this leaves a password without a user, which the next start uses,
 * never a user whose password nobody knows.
 */
export async function ensureFirstUser(options: {
  users: Pick<UserService, 'findFirst' | 'ensureFirstUser'>;
  file: string;
  email: string;
  makePassword: () => string;
}): Promise<FirstUser> {
  const { users, file, email } = options;
  const existing = await users.findFirst();
  if (existing) return { email: existing.email, password: passwordOf(existing.email, readCredentials(file)) };

  const kept = passwordOf(email, readCredentials(file));
  const password = kept ?? options.makePassword();
  if (kept === undefined) writeCredentials(file, { username: email, password });
  const made = await users.ensureFirstUser({ email, password });
  // Another installation on the same database was first: its user stands, with a password that is not ours.
  return { email: made.email, password: made.password ?? undefined };
}

function passwordOf(email: string, credentials: Credentials | undefined): string | undefined {
  return credentials?.username === email ? credentials.password : undefined;
}
