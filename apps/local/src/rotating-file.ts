import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const writeFailures = new Set<string | undefined>(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG']);

/**
 * Appends lines to a file that never grows far beyond `limitBytes`: when full it becomes `<file>.1`, the one before
 * `<file>.2`, and so on up to `keep`. Written at once, so that the last line before a crash is there.
 */
export class RotatingFile {
  readonly #file: string;
  readonly #limitBytes: number;
  readonly #keep: number;
  #descriptor: number;
  #sizeBytes: number;

  constructor(file: string, options: { limitBytes?: number; keep?: number } = {}) {
    this.#file = file;
    this.#limitBytes = options.limitBytes ?? 10 * 1024 * 1024;
    this.#keep = options.keep ?? 3;
    this.#descriptor = openSync(file, 'a', 0o600);
    this.#sizeBytes = fstatSync(this.#descriptor).size;
  }

  /** A line that cannot be written is lost: a full disk must not end the platform. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    try {
      if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > this.#limitBytes) this.#rotate();
      this.#sizeBytes += writeSync(this.#descriptor, bytes);
    } catch (error) {
      if (!writeFailures.has((error as NodeJS.ErrnoException).code)) throw error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    for (let age = this.#keep; age >= 1; age -= 1) {
      const from = age === 1 ? this.#file : `${this.#file}.${age - 1}`;
      try {
        renameSync(from, `${this.#file}.${age}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    this.#descriptor = openSync(this.#file, 'a', 0o600);
    this.#sizeBytes = 0;
  }
}
