import { expect, test } from 'vitest';
import { chooseSandbox } from './choose-sandbox.ts';
import { probeSandbox } from './sandbox.ts';

const jail = { level: 'jail', warning: null, bubblewrap: 'bwrap' } as const;

test('off uses no jail, even where there is one, and warns', async () => {
  const status = await chooseSandbox('off', async () => jail);
  expect(status).toMatchObject({ level: 'process', bubblewrap: null });
  expect(status.warning).toContain('PADEMELON_SANDBOX=off');
});

test('auto and required use the jail that there is', async () => {
  expect(await chooseSandbox('auto', async () => jail)).toEqual(jail);
  expect(await chooseSandbox('required', async () => jail)).toEqual(jail);
});

test('auto goes on without bubblewrap, and says what is missing', async () => {
  const status = await chooseSandbox('auto', () => probeSandbox('/nonexistent/bwrap'));
  expect(status.level).toBe('process');
  expect(status.warning).toContain('apt-get install bubblewrap');
});

test('auto goes on where the system refuses namespaces, and says so', async () => {
  const status = await chooseSandbox('auto', () => probeSandbox('/bin/false'));
  expect(status.level).toBe('process');
  expect(status.warning).toContain('refuses the namespaces');
});

test('required refuses to go on without one, with the reason', async () => {
  await expect(chooseSandbox('required', () => probeSandbox('/nonexistent/bwrap'))).rejects.toThrow(
    /PADEMELON_SANDBOX=required.*bubblewrap is not installed/,
  );
});
