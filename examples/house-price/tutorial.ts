// `npm run tutorial`: an emulated BigQuery, the platform when it is not running, and then walkthrough.py in a Python
// environment with the official SDK and the real Google clients.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BigQueryEmulator, startBigQueryEmulator } from '../../scripts/bigquery-emulator.ts';
import { ensurePythonEnvironment, pythonProcessEnvironment } from '../../scripts/python-environment.ts';
import { bigQueryNotebooks } from '../../scripts/python-environments.ts';
import { isReady, startPlatform } from './platform.ts';

/** Where the emulator listens when the platform runs already: its settings were given before there was an emulator. */
const ports = { port: 9050, tokenPort: 9051 };

const home = resolve(process.env['PADEMELON_HOME'] ?? '.pademelon');
const url = process.env['PUBLIC_URL'] ?? `http://127.0.0.1:${process.env['PORT'] ?? 8080}`;
const environments = join(home, 'tools');
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error('The tutorial was stopped.')));
}

try {
  process.exitCode = await runTutorial();
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exitCode = 1;
}

async function runTutorial(): Promise<number> {
  await using undo = new AsyncDisposableStack();
  await mkdir(environments, { recursive: true, mode: 0o700 });
  const isRunning = await isReady(url);
  // Interpreters of every version that the SDK installs on will do for a person's notebook.
  const notebook = { ...bigQueryNotebooks['2026'], python: ['3.11', '3.12', '3.10'] };
  const python = await ensurePythonEnvironment(notebook, environments);

  console.log('Starting an emulated BigQuery …');
  const project = 'pademelon-tutorial';
  const emulator = await startBigQueryEmulator({ project, environments, ...(isRunning ? ports : {}) });
  undo.defer(() => emulator.stop());
  interrupted.signal.throwIfAborted();

  if (isRunning) {
    console.log(`Using the platform that runs at ${url}.`);
  } else {
    console.log(`Starting the platform at ${url} …`);
    const settings = { ...emulator.platformSettings, PADEMELON_HOME: home };
    const platform = await startPlatform(url, settings, interrupted.signal);
    undo.defer(async () => {
      console.log('Stopping the platform …');
      await platform.stop();
    });
  }
  return await walk(python, emulator);
}

async function walk(python: string, emulator: BigQueryEmulator): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pademelon-tutorial-'));
  try {
    const key = join(folder, 'service-account.json');
    await writeFile(key, JSON.stringify(emulator.serviceAccount), { mode: 0o600 });
    const child = spawn(python, [join(import.meta.dirname, 'walkthrough.py')], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: pythonProcessEnvironment({
        // A log-in to another server that the SDK remembers in the user's own cache must not be sent to this one.
        HOME: folder,
        XDG_CACHE_HOME: join(folder, '.cache'),
        MPLCONFIGDIR: join(environments, 'matplotlib'),
        PYTHONWARNINGS: 'ignore::FutureWarning',
        WALLAROO_URL: url,
        WALLAROO_AUTH_URL: url,
        WALLAROO_SDK_AUTH_TYPE: 'user_password',
        WALLAROO_SDK_CREDENTIALS: join(home, 'credentials.json'),
        BIGQUERY_EMULATOR_HOST: emulator.url,
        TUTORIAL_SERVICE_ACCOUNT: key,
      }),
    });
    const end = (): boolean => child.kill('SIGTERM');
    interrupted.signal.addEventListener('abort', end);
    if (interrupted.signal.aborted) end();
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
