import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { findFreePort } from '../../../packages/runtime/src/ports.ts';
import { processTree } from './processes.ts';

export const repository = resolve(import.meta.dirname, '../../..');

export interface Launch {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly home: string;
  /** Everything that the launcher has written to its terminal. */
  output(): string;
  /** Resolves to its exit status when it has ended, or to the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  ready(): Promise<void>;
}

/** A temporary data folder, removed after the test. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'launcher-test-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 10 }));
  return home;
}

/**
 * Runs the start command with these settings only. Whatever it leaves behind is killed after the test, in which an
 * expectation should have found it already.
 */
export async function launch(
  settings: Readonly<Record<string, string>> = {},
  command: readonly string[] = ['sh', 'scripts/bootstrap.sh', 'start'],
): Promise<Launch> {
  const home = settings['PADEMELON_HOME'] ?? makeHome();
  const port = settings['PORT'] ?? String(await findFreePort());
  const [program, ...args] = command as [string, ...string[]];
  const { PATH, HOME } = process.env;
  const child = spawn(program, args, {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a terminal gives to a command.
    detached: true,
    env: { PATH, HOME, PORT: port, PADEMELON_HOME: home, ...settings },
  });
  onTestFinished(() => {
    for (const { pid } of processTree(child.pid as number)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended with the one before it.
      }
    }
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    process: child,
    pid: child.pid as number,
    url: `http://127.0.0.1:${port}`,
    home,
    output: () => text,
    ended,
    ready: () => untilAnnounced(child, () => text),
  };
}

async function untilAnnounced(child: ChildProcess, output: () => string): Promise<void> {
  await vi.waitFor(
    () => {
      if (output().includes('Ctrl-C stops it.')) return;
      throw new Error(`not ready; it wrote:\n${output()}`);
    },
    { timeout: 60_000, interval: 25 },
  );
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output()}`);
}

export async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

export async function untilReady(url: string, timeout = 20_000): Promise<void> {
  await vi.waitFor(
    async () => {
      if (!(await isReady(url))) throw new Error(`${url} is not ready`);
    },
    { timeout, interval: 50 },
  );
}

/** The status and body of the log-in that the SDKs do first. */
export async function logIn(url: string, home: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const { username, password } = JSON.parse(readFileSync(join(home, 'credentials.json'), 'utf8'));
  const answer = await fetch(`${url}/auth/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'sdk-client', grant_type: 'password', username, password }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
