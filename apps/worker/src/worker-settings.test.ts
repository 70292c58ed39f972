import { SettingError } from '@pademelon/runtime';
import { expect, test } from 'vitest';
import { readWorkerSettings } from './worker-settings.ts';

const base = { HOME: '/home/op' };

test('what is not set has a default', () => {
  expect(readWorkerSettings(base)).toMatchObject({
    ...{ isQueueOn: true, concurrency: 4, sandbox: 'auto', base: { sdkVersion: '2026.1.3' }, leaseMs: 30_000 },
    run: { allowed: [], environment: {}, limits: { processes: 512 } },
  });
});

test('the SDK and the Python of environments are chosen', () => {
  const chosen = { PADEMELON_SDK_VERSION: '2025.2.0', PADEMELON_PYTHON_VERSION: '3.12' };
  const { base: read } = readWorkerSettings({ ...base, ...chosen });
  expect(read).toEqual({ sdkVersion: '2025.2.0', pythonVersion: '3.12' });
});

test('runs get the variables and addresses that the operator names', () => {
  const { run } = readWorkerSettings({
    ...base,
    PADEMELON_RUN_ENV_BIGQUERY_EMULATOR_HOST: 'http://127.0.0.1:9050',
    PADEMELON_RUN_ALLOW: '127.0.0.1:9050, db.internal:5432,[fd00::1]:443',
  });
  expect(run.environment).toEqual({ BIGQUERY_EMULATOR_HOST: 'http://127.0.0.1:9050' });
  expect(run.allowed).toEqual([
    { host: '127.0.0.1', port: 9050 },
    { host: 'db.internal', port: 5432 },
    { host: 'fd00::1', port: 443 },
  ]);
});

test.each([
  ['PADEMELON_SANDBOX', 'maybe'],
  ['PADEMELON_QUEUE', 'perhaps'],
  ['PADEMELON_RUN_ALLOW', 'no-port'],
  ['PADEMELON_BUILD_ALLOW', 'files.example:0'],
  ['PADEMELON_WORKER_CONCURRENCY', '0'],
  ['PADEMELON_LEASE_MS', 'soon'],
  ['PADEMELON_KEEP_DAYS', '0'],
  ['PADEMELON_PYTHON_VERSION', '3'],
  ['PADEMELON_PYTHON_VERSION', 'python3.11'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => readWorkerSettings({ ...base, [name]: value })).toThrow(SettingError);
  expect(() => readWorkerSettings({ ...base, [name]: value })).toThrow(name);
});
