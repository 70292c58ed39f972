import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file system in memory: writing there waits for no disk. */
const sharedMemory = '/dev/shm';
const prefix = 'pademelon-log-';
/** 8 bytes say how far the host has read; the ring starts at the next page. */
const ringAt = 4096;
export const spoolBytes = 16 * 1024 * 1024;

/**
 * The pod's end of a ring of bytes that it shares with its host. Large records go through it, of which a socket takes two
 * or three before it waits for the host. Positions grow for ever; a position's place in the ring is its remainder. What
 * was written outlives the pod.
 */
export class LogSpool {
  /** What the host opens it by. */
  readonly id: string;
  readonly #file: number;
  readonly #bytes: number;
  readonly #word = new Float64Array(1);
  /** Position after what was written last. */
  #end = 0;
  /** What lies before it has been read, or was left out. */
  #read = 0;

  private constructor(id: string, bytes: number) {
    this.id = id;
    this.#bytes = bytes;
    this.#file = openSync(spoolPath(id), 'wx+', 0o600);
    // The page cache of an empty file is read as nothing.
    writeSync(this.#file, new Uint8Array(8), 0, 8, 0);
  }

  /** Null where the machine has no shared memory, or none left. */
  static create(bytes = spoolBytes): LogSpool | null {
    try {
      return new LogSpool(`${process.pid}-${randomUUID()}`, bytes);
    } catch {
      return null;
    }
  }

  /** Position of the bytes; null while the host has not made room for them. Throws when the machine is out of memory. */
  write(bytes: Uint8Array): number | null {
    const { length } = bytes;
    readSync(this.#file, this.#word, 0, 8, 0);
    const isEmpty = this.#word[0] === this.#end;
    if (isEmpty) this.#read = this.#startAfter(this.#end);
    else this.#read = Math.max(this.#read, this.#word[0]!);
    // Again and again from the beginning when all is read: it stays in the processor's cache.
    const isCut = (this.#end % this.#bytes) + length > this.#bytes;
    const position = isEmpty || isCut ? this.#startAfter(this.#end) : this.#end;
    if (position + length - this.#read > this.#bytes) return null;
    const written = writeSync(this.#file, bytes, 0, length, ringAt + (position % this.#bytes));
    if (written < length) throw new RangeError(`Shared memory took ${written} of ${length} bytes.`);
    this.#end = position + length;
    return position;
  }

  /** The first position, from this one on, that lies at the beginning of the ring. */
  #startAfter(position: number): number {
    return Math.ceil(position / this.#bytes) * this.#bytes;
  }

  close(): void {
    closeSync(this.#file);
    rmSync(spoolPath(this.id), { force: true });
  }
}

/** The host's end. */
export class LogSpoolReader {
  readonly #file: number;
  readonly #bytes: number;
  readonly #word = new Float64Array(1);

  /** Takes the file's name away: the file goes when neither end has it open any more. Throws when it is not there. */
  constructor(id: string, bytes = spoolBytes) {
    if (!/^[\w-]+$/.test(id)) throw new TypeError('A spool has another name.');
    this.#bytes = bytes;
    this.#file = openSync(spoolPath(id), 'r+');
    rmSync(spoolPath(id), { force: true });
  }

  /** Bytes of their own; the pod may write over those in the ring. */
  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    const found = readSync(this.#file, bytes, 0, length, ringAt + (position % this.#bytes));
    if (found < length) throw new RangeError(`A spool has ${found} bytes where ${length} should be.`);
    this.#word[0] = position + length;
    writeSync(this.#file, this.#word, 0, 8, 0);
    return bytes;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Removes what pods left behind that died before their host had opened it. */
export function removeDeadSpools(): void {
  for (const name of spoolNames()) {
    const [pid] = name.slice(prefix.length).split('-');
    if (!isAlive(Number(pid))) rmSync(join(sharedMemory, name), { force: true });
  }
}

function spoolNames(): string[] {
  try {
    return readdirSync(sharedMemory).filter((name) => name.startsWith(prefix));
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function spoolPath(id: string): string {
  return join(sharedMemory, `${prefix}${id}`);
}
