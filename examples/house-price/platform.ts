import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const repository = resolve(import.meta.dirname, '../..');
const readyWithinMs = 180_000;

export async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

/** Starts the platform as `npm start` does, with further settings, and resolves when it is ready. */
export async function startPlatform(
  url: string,
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ stop(): Promise<void> }> {
  const launcher = spawn('sh', ['scripts/bootstrap.sh', 'start'], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that Ctrl-C reaches the tutorial only, which then stops things in order.
    detached: true,
    env: { ...process.env, ...settings },
  });
  const output = collectOutput(launcher);
  const hasEnded = (): boolean => launcher.exitCode !== null || launcher.signalCode !== null;
  const stop = async (): Promise<void> => {
    if (hasEnded()) return;
    launcher.kill('SIGTERM');
    await once(launcher, 'exit');
  };
  const deadline = performance.now() + readyWithinMs;
  while (!(await isReady(url))) {
    if (hasEnded()) throw new Error(`The platform did not start:\n${output()}`);
    if (signal.aborted || performance.now() > deadline) {
      await stop();
      signal.throwIfAborted();
      throw new Error(`The platform was not ready within ${readyWithinMs / 1000} s:\n${output()}`);
    }
    await sleep(100);
  }
  return { stop };
}

function collectOutput(launcher: ChildProcess): () => string {
  let text = '';
  for (const stream of [launcher.stdout, launcher.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-8_000);
    });
  }
  return () => text;
}
