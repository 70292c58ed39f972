import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@pademelon/runtime';
import { expect, onTestFinished, test, vi } from 'vitest';
import { environmentSource } from './environment-source.ts';

/** What is said where there is no such Python. */
async function refusal(sdkVersion: string, pythonVersion?: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-source-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // Python that is none of those that suit an SDK.
  writeFileSync(join(folder, 'python3'), '#!/bin/sh\necho 3.7; echo /usr; echo /usr\n', { mode: 0o755 });
  vi.stubEnv('PATH', folder);
  vi.stubEnv('PYENV_ROOT', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const source = environmentSource({
    ...{ folder, base: { sdkVersion, pythonVersion }, timeoutMs: 1_000, allowed: [] },
    sandbox: { level: 'process', warning: null, bubblewrap: null },
    logger: createLogger('test', 'error'),
  });
  return source.provide().then(
    () => 'There is one.',
    (error: Error) => error.message,
  );
}

test('without a Python that suits the SDK, or the one that is set, it says which is looked for', async () => {
  const end = "and none was found on the PATH or under pyenv of the worker's machine.";
  expect(await refusal('2023.2.0')).toBe(`Orchestrations need Python 3.9 for the SDK 2023.2.0, ${end}`);
  expect(await refusal('2026.1.3')).toBe(
    `Orchestrations need Python 3.11 or 3.12 or 3.10 for the SDK 2026.1.3, ${end}`,
  );
  expect(await refusal('2023.2.0', '3.12')).toBe(
    `Orchestrations need Python 3.12 as PADEMELON_PYTHON_VERSION says, ${end}`,
  );
});

test('the Python that is set is taken, although none that suits the SDK is there', async () => {
  // What comes next needs more of a Python than this one is.
  expect(await refusal('2023.2.0', '3.7')).not.toContain('Orchestrations need Python');
});
