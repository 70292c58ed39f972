// An emulated BigQuery for the tutorial and the acceptance tests: the real Google clients talk to it as to Google, with
// a service account of its own whose tokens come from here.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../packages/runtime/src/ports.ts';
import { ensurePythonEnvironment, pythonProcessEnvironment } from './python-environment.ts';
import { bigQueryEmulator } from './python-environments.ts';
import { createServiceAccount, type ServiceAccount, startTokenEndpoint } from './service-account.ts';

export interface BigQueryEmulatorOptions {
  readonly project: string;
  /** Folder below which its Python environment is kept; that of the tests by default. */
  readonly environments?: string;
  /** Ports of the loopback address; free ones by default. */
  readonly port?: number;
  readonly tokenPort?: number;
}

export interface BigQueryEmulator {
  readonly url: string;
  /** The key file's content that a Google client is given, and that connections of the tutorial hold. */
  readonly serviceAccount: ServiceAccount;
  /** Settings with which the platform shows the emulator to runs and lets them reach it. */
  readonly platformSettings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const readyWithinMs = 60_000;

/** Starts it with empty tables on the loopback address; it ends with this process at the latest. */
export async function startBigQueryEmulator(options: BigQueryEmulatorOptions): Promise<BigQueryEmulator> {
  const python = await ensurePythonEnvironment(bigQueryEmulator, options.environments);
  const port = options.port ?? (await findFreePort());
  const { project } = options;
  const endpoint = await startTokenEndpoint(options.tokenPort ?? 0);
  const server = startServer(python, ['--rest-port', `${port}`, '--grpc-port', '0', '--project', project]);
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilHealthy(server, url);
  } catch (error) {
    endpoint.close();
    server.process.kill('SIGKILL');
    throw error;
  }
  return {
    url,
    serviceAccount: createServiceAccount(project, endpoint),
    platformSettings: {
      PADEMELON_RUN_ENV_BIGQUERY_EMULATOR_HOST: url,
      PADEMELON_RUN_ALLOW: `127.0.0.1:${port},127.0.0.1:${endpoint.port}`,
    },
    async stop() {
      endpoint.close();
      if (server.process.exitCode !== null || server.process.signalCode !== null) return;
      // Its tables are in memory: there is nothing to be lost.
      server.process.kill('SIGKILL');
      await once(server.process, 'exit');
    },
  };
}

interface Server {
  readonly process: ChildProcess;
  /** The end of what it wrote. */
  complaint(): string;
}

function startServer(python: string, args: readonly string[]): Server {
  const folder = dirname(python);
  const program = join(folder, 'bqemulator');
  // The kernel ends it when this process ends, in whatever way. A group of its own, so that Ctrl-C is ours to handle.
  const command = ['--pdeathsig', 'KILL', program, 'start', ...args, '--log-level', 'warning'];
  const child = spawn('setpriv', command, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: pythonProcessEnvironment({ HOME: join(dirname(folder), 'home') }),
  });
  let text = '';
  child.on('error', (error) => {
    text += error.message;
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4_000);
    });
  }
  return { process: child, complaint: () => text };
}

async function untilHealthy(server: Server, url: string): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline && server.process.pid !== undefined && server.process.exitCode === null) {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`The emulated BigQuery did not start at ${url}:\n${server.complaint()}`);
}
