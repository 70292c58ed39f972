import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { StepLaunch } from '@pademelon/contracts';
import { type Frame, FrameReader } from './step-frames.ts';

export interface StepProcessOptions {
  readonly launch: StepLaunch;
  /** Bytes of a frame beyond which the process is ended. */
  readonly maxFrameBytes: number;
  /** What the script printed, in the pieces in which it came. */
  readonly onOutput: (bytes: Buffer) => void;
  /** The first frame says whether the script was loaded, each later one answers a request. */
  readonly onFrame: (frame: Frame) => void;
  /** Told once, after the last frame; how it ended as part of a sentence. */
  readonly onEnd: (how: string) => void;
}

/** One process of a Python step, from its start to its end. It ends with this one, whatever its script does. */
export class StepProcess {
  readonly #child: ChildProcess;
  #ending: string | null = null;

  constructor({ launch, maxFrameBytes, onOutput, onFrame, onEnd }: StepProcessOptions) {
    const seccomp = launch.seccompFile === null ? null : openSync(launch.seccompFile, 'r');
    this.#child = spawn(launch.command, [...launch.args], {
      cwd: launch.workingFolder,
      env: { ...launch.environment },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', ...(seccomp === null ? [] : [seccomp])],
    });
    if (seccomp !== null) closeSync(seccomp);
    const reader = new FrameReader(maxFrameBytes);
    (this.#child.stdout as Readable).on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes).forEach(onFrame);
      } catch (error) {
        this.kill(`was ended, because what it sent cannot be read (${(error as Error).message})`);
      }
    });
    (this.#child.stderr as Readable).on('data', onOutput);
    // A process that has just died cannot be told; its end follows.
    (this.#child.stdin as Writable).on('error', () => undefined);
    let hasEnded = false;
    const end = (how: string): void => {
      if (hasEnded) return;
      hasEnded = true;
      onEnd(this.#ending ?? how);
    };
    this.#child.once('error', (error) => end(`could not be started: ${error.message}`));
    // Whatever the script left behind goes with it; its pipes close then, and 'close' follows.
    this.#child.once('exit', () => this.#signal());
    this.#child.once('close', (code, signal) =>
      end(signal === null ? `ended with status ${code}` : `ended by ${signal}`),
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The pieces must not change until they are written. */
  send(pieces: readonly Uint8Array[]): void {
    const stdin = this.#child.stdin as Writable;
    stdin.cork();
    for (const piece of pieces) if (piece.byteLength > 0) stdin.write(piece);
    stdin.uncork();
  }

  /** Ends it at once with all its children; `how` is what `onEnd` is told. */
  kill(how: string): void {
    this.#ending ??= how;
    this.#signal();
  }

  #signal(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // The group has ended.
    }
  }
}
