import { createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { DomainError } from '@pademelon/domain';
import unzipper from 'unzipper';
import { type ArchiveEntry, checkCollisions, checkKind, checkName, invalidArchive } from './archive-entry.ts';
import { type ArchiveLimits, defaultArchiveLimits } from './archive-limits.ts';
import { checkLocalHeaders, type LocalClaim, readZipStructure } from './zip-structure.ts';

/** A zip of which every name, kind and declared size is acceptable. Contents are checked as they are read. */
export interface Archive {
  readonly entries: readonly ArchiveEntry[];
  /** Reads every entry and compares its size and checksum with what was declared; writes nothing. */
  verify(): Promise<void>;
  /** Writes every entry below the folder, which must exist. Checks as `verify` does; a failure leaves files behind. */
  extract(folder: string): Promise<void>;
  /** The content of one entry, at most `limitBytes` long. */
  read(path: string, limitBytes: number): Promise<Buffer>;
}

type SourceEntry = unzipper.File & { readonly pathBuffer: Buffer };

/**
 * Opens the zip through its central directory (never unzipper's Extract, which a crafted zip can crash). Throws
 * `invalid_archive` with the reason, or `too_large` when it would unpack to more than the limits allow.
 */
export async function openArchive(file: string, limits: ArchiveLimits = defaultArchiveLimits): Promise<Archive> {
  const sources = await readSources(file, limits);
  const entries = [...sources.keys()];
  return {
    entries,
    verify: async () => {
      for (const entry of entries) await copyEntry(entry, sources.get(entry) as SourceEntry, nowhere());
    },
    extract: async (folder) => {
      for (const entry of entries) {
        const target = join(folder, ...entry.path.split('/'));
        await mkdir(dirname(target), { recursive: true });
        // `wx`: two entries can never write one file, whatever the disk thinks of their names.
        await copyEntry(
          entry,
          sources.get(entry) as SourceEntry,
          createWriteStream(target, { flags: 'wx', mode: 0o644 }),
        );
      }
    },
    read: async (path, limitBytes) => {
      const entry = entries.find((candidate) => candidate.path === path);
      if (entry === undefined) throw invalidArchive(`it has no ${JSON.stringify(path)}`);
      if (entry.sizeBytes > limitBytes)
        throw invalidArchive(`${JSON.stringify(path)} is larger than ${limitBytes} bytes`);
      const chunks: Buffer[] = [];
      await copyEntry(entry, sources.get(entry) as SourceEntry, collect(chunks));
      return Buffer.concat(chunks);
    },
  };
}

async function readSources(path: string, limits: ArchiveLimits): Promise<Map<ArchiveEntry, SourceEntry>> {
  const file = await open(path, 'r');
  try {
    const { entryCount, directoryOffset, endRecordBytes } = await readZipStructure(file, limits);
    const sources = new Map<ArchiveEntry, SourceEntry>();
    if (entryCount === 0) return sources;
    const claims: LocalClaim[] = [];
    let totalBytes = 0;
    for (const source of await readDirectory(path, endRecordBytes)) {
      const entryPath = checkSource(source, limits);
      claims.push({
        offset: source.offsetToLocalFileHeader,
        name: source.pathBuffer,
        method: source.compressionMethod,
        compressedBytes: source.compressedSize,
      });
      totalBytes += source.uncompressedSize;
      if (totalBytes > limits.unpackedBytes) throw tooLarge(limits);
      if (entryPath !== null) sources.set(toEntry(source, entryPath), source);
    }
    await checkLocalHeaders(file, claims, directoryOffset);
    checkCollisions([...sources.keys()]);
    return sources;
  } finally {
    await file.close();
  }
}

async function readDirectory(path: string, tailSize: number): Promise<SourceEntry[]> {
  try {
    // unzipper takes the first end record in the tail that it reads, so it gets exactly the one that was checked.
    const openFile: (path: string, options: object) => Promise<unzipper.CentralDirectory> = unzipper.Open.file;
    const directory = await openFile(path, { tailSize });
    return (await directory.files) as SourceEntry[];
  } catch (cause) {
    throw invalidArchive('its central directory cannot be read', cause);
  }
}

/** From this size on an entry has its size in a field of its own; without the field its size is not a number. */
const zip64 = 0xffffffff;

/** Resolves to the entry's path, or null for a folder. */
function checkSource(source: SourceEntry, limits: ArchiveLimits): string | null {
  const path = checkName(source.path, source.pathBuffer, limits);
  checkKind(source.path, source.versionMadeBy, source.externalFileAttributes);
  const shown = JSON.stringify(source.path);
  if ((source.flags & 1) === 1) throw invalidArchive(`the entry ${shown} is encrypted`);
  if (source.compressionMethod !== 0 && source.compressionMethod !== 8) {
    throw invalidArchive(
      `the entry ${shown} is compressed by method ${source.compressionMethod}; only deflate is read`,
    );
  }
  if (path === null && source.uncompressedSize > 0) throw invalidArchive(`the folder ${shown} has content`);
  if (!(source.uncompressedSize < zip64 && source.compressedSize < zip64)) {
    throw invalidArchive(`the entry ${shown} has a zip64 size, which its allowed size does not need`);
  }
  if (source.uncompressedSize > limits.unpackedBytes) throw tooLarge(limits);
  const freeBytes = 1024 * 1024;
  if (source.uncompressedSize > freeBytes && source.uncompressedSize > source.compressedSize * limits.ratio) {
    throw tooLarge(limits, `the entry ${shown} unpacks to more than ${limits.ratio} times its size`);
  }
  return path;
}

function toEntry(source: SourceEntry, path: string): ArchiveEntry {
  return {
    path,
    sizeBytes: source.uncompressedSize,
    compressedBytes: source.compressedSize,
    crc32: source.crc32,
  };
}

function tooLarge(
  limits: ArchiveLimits,
  reason = `it unpacks to more than ${limits.unpackedBytes} bytes`,
): DomainError {
  return new DomainError('too_large', `The zip is refused: ${reason}.`);
}

async function copyEntry(entry: ArchiveEntry, source: SourceEntry, target: Writable): Promise<void> {
  const shown = JSON.stringify(entry.path);
  let sizeBytes = 0;
  let checksum = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (sizeBytes > entry.sizeBytes) throw invalidArchive(`the entry ${shown} is longer than it says`);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  };
  try {
    await pipeline(source.stream(), counted, target);
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw invalidArchive(`the entry ${shown} cannot be unpacked`, cause);
  }
  if (sizeBytes !== entry.sizeBytes) throw invalidArchive(`the entry ${shown} is shorter than it says`);
  if (checksum !== entry.crc32 >>> 0) throw invalidArchive(`the entry ${shown} does not match its checksum`);
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

function collect(chunks: Buffer[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
}
