import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { LogCounts } from './pod-ledger.ts';

/**
 * Where a pod notes what it has logged while some of that is still in its own memory, and would be gone without a trace
 * if it were killed. The page cache outlives it, so the host finds the count.
 */
export class CountsFile {
  readonly #path: string;
  readonly #bytes = Buffer.alloc(16);
  #file: number | null = null;
  #noted = 0;

  constructor(socketPath: string, podId: string) {
    this.#path = countsPath(socketPath, podId);
  }

  /** Costs a system call where the counts have grown. Never throws: a full disk must not end an inference. */
  note({ records, rows }: LogCounts): void {
    if (records === this.#noted) return;
    this.#noted = records;
    this.#bytes.writeDoubleLE(records, 0);
    this.#bytes.writeDoubleLE(rows, 8);
    try {
      this.#file ??= openSync(this.#path, 'w', 0o600);
      writeSync(this.#file, this.#bytes, 0, 16, 0);
    } catch {
      // The host then has the counts of the last sign of life, at most a second old.
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

/** What the pod noted last, whose process has ended; the file is gone then. Null when it never had to. */
export function takeCounts(socketPath: string, podId: string): LogCounts | null {
  const path = countsPath(socketPath, podId);
  try {
    const bytes = readFileSync(path);
    rmSync(path, { force: true });
    return bytes.length < 16 ? null : { records: bytes.readDoubleLE(0), rows: bytes.readDoubleLE(8) };
  } catch {
    return null;
  }
}

function countsPath(socketPath: string, podId: string): string {
  return `${socketPath}.${encodeURIComponent(podId)}.counts`;
}
