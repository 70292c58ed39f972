import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { User } from '@pademelon/domain';
import { afterEach, expect, it } from 'vitest';
import { ensureFirstUser } from './first-user.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Users in memory; `crash` makes the creation of the first one fail. */
function setup(options: { crash?: boolean } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'first-user-'));
  folders.push(folder);
  const file = join(folder, 'credentials.json');
  const passwords = new Map<string, string>();
  const users = {
    findFirst: async () => {
      const [email] = passwords.keys();
      return email === undefined ? null : ({ email } as User);
    },
    ensureFirstUser: async (input: { email: string; password?: string | undefined }) => {
      if (options.crash) throw new Error('killed');
      const [existing] = passwords.keys();
      if (existing !== undefined) return { email: existing, password: null };
      passwords.set(input.email, input.password as string);
      return { email: input.email, password: input.password as string };
    },
  };
  let made = 0;
  const makePassword = (): string => {
    made += 1;
    return `password-${made}`;
  };
  const ensure = () => ensureFirstUser({ users, file, email: 'ada@example.org', makePassword });
  return { file, passwords, users, ensure, options };
}

const readFile = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

it('makes the user and the file that tells the password, for its owner only', async () => {
  const { file, passwords, ensure } = setup();
  expect(await ensure()).toEqual({ email: 'ada@example.org', password: 'password-1' });
  expect(passwords.get('ada@example.org')).toBe('password-1');
  expect(readFile(file)).toEqual({ username: 'ada@example.org', password: 'password-1' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('changes nothing the second time', async () => {
  const { file, ensure } = setup();
  await ensure();
  expect(await ensure()).toEqual({ email: 'ada@example.org', password: 'password-1' });
  expect(readFile(file)).toEqual({ username: 'ada@example.org', password: 'password-1' });
});

it('never leaves a user whose password nobody knows: an interrupted start is finished with the same password', async () => {
  const { options, passwords, ensure } = setup({ crash: true });
  await expect(ensure()).rejects.toThrow('killed');
  options.crash = false;
  expect(await ensure()).toEqual({ email: 'ada@example.org', password: 'password-1' });
  expect(passwords.get('ada@example.org')).toBe('password-1');
});

it('does not claim to know the password of a user that it did not make', async () => {
  const { file, passwords, ensure } = setup();
  passwords.set('bob@example.org', 'secret');
  writeFileSync(file, JSON.stringify({ username: 'ada@example.org', password: 'of another database' }));
  expect(await ensure()).toEqual({ email: 'bob@example.org', password: undefined });
});

it('makes a new password where the file is damaged', async () => {
  const { file, ensure } = setup();
  writeFileSync(file, '{"username": 7');
  expect(await ensure()).toEqual({ email: 'ada@example.org', password: 'password-1' });
  expect(readFile(file)).toEqual({ username: 'ada@example.org', password: 'password-1' });
});
