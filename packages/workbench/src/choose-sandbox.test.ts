import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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

test.runIf(process.getuid?.() === 0)(
  'root is warned where its jails would own the devices of this machine',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pademelon-sandbox-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const bubblewrap = (name: string, isRefused: string): string => {
      writeFileSync(join(folder, name), `#!/bin/sh\ncase "$*" in ${isRefused}) exit 1 ;; esac\n`, { mode: 0o755 });
      return join(folder, name);
    };
    expect(await probeSandbox(bubblewrap('without-mounts', '*mount*'))).toMatchObject({
      level: 'jail',
      warning: expect.stringMatching(/^This process runs as root\..*another user\.$/),
    });
    expect(await probeSandbox(bubblewrap('with-mounts', 'nothing'))).toMatchObject({ level: 'jail', warning: null });
  },
);

test('required refuses to go on without one, with the reason', async () => {
  await expect(chooseSandbox('required', () => probeSandbox('/nonexistent/bwrap'))).rejects.toThrow(
    /PADEMELON_SANDBOX=required.*bubblewrap is not installed/,
  );
});
