import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { LogLines } from './log-lines.ts';
import { SecretMask } from './secret-mask.ts';

export interface StepOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** File with the seccomp program, opened as descriptor 3; null without a jail. */
  readonly seccompFile: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
  readonly timeoutMs: number;
  readonly onLine: (line: string) => void;
  /** Ends the step at once. */
  readonly signal?: AbortSignal;
  readonly maxLineLength?: number;
}

export interface StepEnd {
  readonly exitCode: number | null;
  readonly isLate: boolean;
}

/** Runs one step of a build to its end; one that takes too long is killed with its whole process group. */
export async function runStep(options: StepOptions): Promise<StepEnd> {
  const seccomp = options.seccompFile === null ? null : openSync(options.seccompFile, 'r');
  const child = spawn(options.command, [...options.args], {
    cwd: options.workingFolder,
    env: { ...options.environment },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...(seccomp === null ? [] : [seccomp])],
  });
  if (seccomp !== null) closeSync(seccomp);
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    const lines = new LogLines(new SecretMask([]), options.maxLineLength ?? 4_096);
    stream.on('data', (chunk: Buffer) => lines.push(chunk).forEach(options.onLine));
    stream.on('end', () => lines.end().forEach(options.onLine));
  }
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, options.timeoutMs);
  options.signal?.addEventListener('abort', kill);
  if (options.signal?.aborted) kill();
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { exitCode, isLate };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', kill);
  }
}
