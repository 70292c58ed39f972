import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync, writeSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { isProcessAlive } from '@pademelon/runtime/is-process-alive';

/** A file system in memory: writing there waits for no disk. */
const sharedMemory = '/dev/shm';
const prefix = 'pademelon-log-';
/** 8 bytes say how far the host has read; the ring starts at the next page. */
const ringAt = 4096;
export const spoolBytes = 16 * 1024 * 1024;

/**
 * The pod's end of a ring of bytes that it shares with its host. The columns of large records go through it, of which a
 * socket takes two or three before it waits for the host. Positions grow for ever; a position's place in the ring is its
 * remainder. What was written outlives the pod.
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

  /**
   * Writes the pieces, `length` bytes together, one after the other. Their position; null while the host has not made
   * room for them. Throws when the machine is out of memory.
   */
  write(pieces: readonly NodeJS.ArrayBufferView[], length: number): number | null {
    readSync(this.#file, this.#word, 0, 8, 0);
    const isEmpty = this.#word[0] === this.#end;
    if (isEmpty) this.#read = this.#startAfter(this.#end);
    else this.#read = Math.max(this.#read, this.#word[0]!);
    // Again and again from the beginning when all is read: it stays in the processor's cache.
    const isCut = (this.#end % this.#bytes) + length > this.#bytes;
    const position = isEmpty || isCut ? this.#startAfter(this.#end) : this.#end;
    if (position + length - this.#read > this.#bytes) return null;
    const written = writevSync(this.#file, pieces, ringAt + (position % this.#bytes));
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

/**
 * The host's end. What is in the ring stays there, and takes its room, until it is let go: it can wait there for the
 * batch that it will be a part of.
 */
export class LogSpoolReader {
  readonly #file: number;
  readonly #bytes: number;
  readonly #word = new Float64Array(1);
  /** What has not been let go, and behind that what has; oldest first. */
  readonly #held: SpooledBytes[] = [];
  /** The file was at least as long. */
  #fileBytes = 0;
  #isClosed = false;

  /** Takes the file's name away: the file goes when neither end has it open any more. Throws when it is not there. */
  constructor(id: string, bytes = spoolBytes) {
    if (!/^[\w-]+$/.test(id)) throw new TypeError('A spool has another name.');
    this.#bytes = bytes;
    this.#file = openSync(spoolPath(id), 'r+');
    rmSync(spoolPath(id), { force: true });
  }

  /** What the pod says to have written there; each is to be let go. Throws RangeError when it cannot be there. */
  hold(position: number, length: number): SpooledBytes {
    const start = ringAt + (position % this.#bytes);
    const end = start + length;
    if (end > this.#fileBytes) this.#fileBytes = fstatSync(this.#file).size;
    if (!(position >= 0) || end > Math.min(ringAt + this.#bytes, this.#fileBytes)) {
      throw new RangeError(`A spool has no ${length} bytes at ${position}.`);
    }
    const held = new SpooledBytes({ file: this.#file, start, length, endPosition: position + length }, () =>
      this.#letGo(),
    );
    this.#held.push(held);
    return held;
  }

  /** What is held can be read until it is let go. */
  close(): void {
    this.#isClosed = true;
    if (this.#held.length === 0) closeSync(this.#file);
  }

  #letGo(): void {
    const first = this.#held.findIndex(({ isHeld }) => isHeld);
    const gone = this.#held.splice(0, first < 0 ? this.#held.length : first);
    if (gone.length === 0) return;
    this.#word[0] = gone.at(-1)!.endPosition;
    writeSync(this.#file, this.#word, 0, 8, 0);
    if (this.#isClosed && this.#held.length === 0) closeSync(this.#file);
  }
}

interface Place {
  readonly file: number;
  readonly start: number;
  readonly length: number;
  /** The position after them. */
  readonly endPosition: number;
}

/** Bytes that are in the ring, copied as those of a Buffer are. */
export class SpooledBytes {
  readonly #place: Place;
  readonly #onLetGo: () => void;
  #isHeld = true;

  constructor(place: Place, onLetGo: () => void) {
    this.#place = place;
    this.#onLetGo = onLetGo;
  }

  get length(): number {
    return this.#place.length;
  }

  get endPosition(): number {
    return this.#place.endPosition;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** All of them. */
  read(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.length);
    this.copy(bytes, 0, 0, this.length);
    return bytes;
  }

  copy(target: Uint8Array, targetStart: number, start: number, end: number): number {
    const length = end - start;
    const found = readSync(this.#place.file, target, targetStart, length, this.#place.start + start);
    if (found < length) throw new RangeError(`A spool has ${found} bytes where ${length} should be.`);
    return length;
  }

  /** Gives the pod their room back; nobody may read them any more. */
  letGo(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#onLetGo();
  }
}

/** Removes what pods left behind that died before their host had opened it. */
export function removeDeadSpools(): void {
  for (const name of spoolNames()) {
    const [pid] = name.slice(prefix.length).split('-');
    if (!isProcessAlive(Number(pid))) rmSync(join(sharedMemory, name), { force: true });
  }
}

function spoolNames(): string[] {
  try {
    return readdirSync(sharedMemory).filter((name) => name.startsWith(prefix));
  } catch {
    return [];
  }
}

function spoolPath(id: string): string {
  return join(sharedMemory, `${prefix}${id}`);
}
