import { DomainError } from '@pademelon/domain';
import type { ArchiveLimits } from './archive-limits.ts';

/** A file of a zip whose name, kind and sizes have been checked. Folders are implied by the files in them. */
export interface ArchiveEntry {
  /** Relative path with `/`, in Unicode NFC, without `.` and `..`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly compressedBytes: number;
  readonly crc32: number;
}

/** A zip that is refused, and why: the reason names the entry and what is wrong with it. */
export function invalidArchive(reason: string, cause?: unknown): DomainError {
  return new DomainError('invalid_archive', `The zip is refused: ${reason}.`, cause === undefined ? {} : { cause });
}

/** Refuses names that could leave the folder, deceive a reader or collide; resolves to the path, or null for a folder. */
export function checkName(name: string, bytes: Buffer, limits: ArchiveLimits): string | null {
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
  if (bytes.length === 0) throw invalidArchive('an entry has no name');
  if (bytes.length > limits.nameBytes)
    throw invalidArchive(`the name ${shown} is longer than ${limits.nameBytes} bytes`);
  if (!Buffer.from(name, 'utf8').equals(bytes)) throw invalidArchive(`the name ${shown} is not UTF-8`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name)) {
    throw invalidArchive(`the name ${shown} has control or direction characters`);
  }
  if (name.includes('\\')) throw invalidArchive(`the name ${shown} has a backslash`);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw invalidArchive(`the name ${shown} is an absolute path`);
  const parts = name.replace(/\/$/, '').split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw invalidArchive(`the name ${shown} does not stay inside the zip`);
  }
  if (parts.length > limits.depth)
    throw invalidArchive(`the name ${shown} is nested more than ${limits.depth} folders deep`);
  return name.endsWith('/') ? null : name.normalize('NFC');
}

const unix = 3;
const fileKind = 0o170000;
const regularFile = 0o100000;
const folder = 0o040000;

/** Refuses symbolic links, devices, pipes and sockets, which a Unix zip program stores in the mode bits. */
export function checkKind(name: string, versionMadeBy: number, externalAttributes: number): void {
  if (versionMadeBy >> 8 !== unix) return;
  const kind = (externalAttributes >>> 16) & fileKind;
  if (kind !== 0 && kind !== regularFile && kind !== folder) {
    throw invalidArchive(`the entry ${JSON.stringify(name)} is a link or a special file`);
  }
}

/** Refuses two entries that are one file on a case-insensitive disk, and a file that is also another's folder. */
export function checkCollisions(entries: readonly ArchiveEntry[]): void {
  const fold = (path: string): string => path.normalize('NFC').toLowerCase();
  const files = new Set<string>();
  for (const { path } of entries) {
    if (files.has(fold(path))) throw invalidArchive(`the name ${JSON.stringify(path)} occurs twice`);
    files.add(fold(path));
  }
  for (const { path } of entries) {
    const parts = fold(path).split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      if (files.has(parts.slice(0, depth).join('/'))) {
        throw invalidArchive(`${JSON.stringify(parts.slice(0, depth).join('/'))} is both a file and a folder`);
      }
    }
  }
}
