import { expect, test } from 'vitest';
import { Argon2Passwords } from './argon2-passwords.ts';

test('a password is the one that was hashed, and no other is', async () => {
  const passwords = new Argon2Passwords();
  const hash = await passwords.hash('pässword');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(await passwords.verify('pässword', hash)).toBe(true);
  expect(await passwords.verify('password', hash)).toBe(false);
  expect(await passwords.verify('pässword', null)).toBe(false);
  expect(await passwords.hash('pässword')).not.toBe(hash);
});

test('hashes made elsewhere, with other costs, are understood', async () => {
  // By the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -e
  const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  expect(await new Argon2Passwords().verify('password', hash)).toBe(true);
});

test('what is not such a hash is an error, not a wrong password', async () => {
  await expect(new Argon2Passwords().verify('x', '$2b$10$abcdefghijklmnopqrstuv')).rejects.toThrow('argon2id');
});

test('only so many are checked at once, and only so many wait', async () => {
  const passwords = new Argon2Passwords({ maxRunning: 1, maxWaiting: 2 });
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.verify('x', null)));
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
  ]);
  expect(results[4]).toMatchObject({ reason: { word: 'overloaded' } });
  // Every turn was given back.
  await expect(passwords.verify('x', null)).resolves.toBe(false);
});

test('generated passwords differ and are long', () => {
  const passwords = new Argon2Passwords();
  const made = new Set(Array.from({ length: 100 }, () => passwords.generate()));
  expect(made.size).toBe(100);
  for (const password of made) expect(password).toMatch(/^[\w-]{20}$/);
});
