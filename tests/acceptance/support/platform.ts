import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../packages/runtime/src/ports.ts';
import { repositoryFolder } from './repository.ts';
import { until } from './until.ts';

/** A started product: what a user sees of it. */
export interface Platform {
  readonly url: string;
  readonly home: string;
  readonly username: string;
  readonly password: string;
  /** The launcher; every process of the product descends from it. */
  readonly pid: number;
}

export interface RunningPlatform extends Platform {
  /** Milliseconds from the command to the first ready answer. */
  readonly startMs: number;
  /** What the launcher has written to its terminal. */
  output(): string;
  /** SIGTERM, then waits for the launcher's end; the data folder stays. */
  stop(): Promise<void>;
  /** Stops it and deletes its data folder. */
  dispose(): Promise<void>;
}

export interface PlatformOptions {
  /** A data folder that is already there; a fresh temporary one by default. */
  readonly home?: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const readyWithinMs = 300_000;
const stopWithinMs = 20_000;

/** Starts the product as `npm start` does, on a free port of the loopback address, and waits until it is ready. */
export async function startPlatform(options: PlatformOptions = {}): Promise<RunningPlatform> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'pademelon-acceptance-')));
  const port = options.port ?? (await findFreePort());
  const startedAt = performance.now();
  const launcher = spawn('sh', ['scripts/bootstrap.sh', 'start'], {
    cwd: repositoryFolder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...productEnvironment(), PORT: String(port), PADEMELON_HOME: home, ...options.env },
  });
  const output = collectOutput(launcher);
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilReady(launcher, url, output);
  } catch (error) {
    launcher.kill('SIGKILL');
    throw error;
  }
  const startMs = performance.now() - startedAt;
  const stop = () => stopLauncher(launcher, output);
  return {
    url,
    home,
    ...(await readCredentials(home)),
    pid: launcher.pid!,
    startMs,
    output,
    stop,
    async dispose() {
      await stop();
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

export async function readCredentials(home: string): Promise<{ username: string; password: string }> {
  return JSON.parse(await readFile(join(home, 'credentials.json'), 'utf8'));
}

/** The caller's environment without settings of the product and of the SDKs, so that only the test's count. */
function productEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(PADEMELON_|WALLAROO_|VITEST|DATABASE_URL|PUBLIC_URL|HOST$|PORT$|AUTH$|NODE_ENV$|NODE_OPTIONS$|LOG_LEVEL$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

function collectOutput(launcher: ChildProcess): () => string {
  let text = '';
  for (const stream of [launcher.stdout, launcher.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-64 * 1024);
    });
  }
  return () => text;
}

async function untilReady(launcher: ChildProcess, url: string, output: () => string): Promise<void> {
  await until(
    async () => {
      if (launcher.exitCode !== null || launcher.signalCode !== null) {
        throw new Error(`npm start ended with ${launcher.exitCode ?? launcher.signalCode}:\n${output()}`);
      }
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    },
    { withinMs: readyWithinMs, everyMs: 50, what: () => `the product to be ready; it wrote:\n${output()}` },
  );
}

async function stopLauncher(launcher: ChildProcess, output: () => string): Promise<void> {
  if (launcher.exitCode !== null || launcher.signalCode !== null) return;
  const ended = once(launcher, 'exit');
  launcher.kill('SIGTERM');
  const late = setTimeout(() => launcher.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(late);
  if (launcher.signalCode === 'SIGKILL') {
    throw new Error(`The launcher did not stop within ${stopWithinMs / 1000} s of SIGTERM; it wrote:\n${output()}`);
  }
}
