import type { FileHandle } from 'node:fs/promises';
import { invalidArchive } from './archive-entry.ts';
import type { ArchiveLimits } from './archive-limits.ts';

const endRecordSignature = 0x06054b50;
const endRecordBytes = 22;
const maxCommentBytes = 0xffff;

/** Where the central directory lies. */
export interface ZipStructure {
  readonly entryCount: number;
  readonly directoryOffset: number;
  /** Bytes from the end record to the end of the file. */
  readonly endRecordBytes: number;
}

/**
 * Checks what frames a zip before any library reads it: one end record at the very end, a central directory that
 * touches it, nothing in front of the first entry. Archives that two readers could understand differently (prepended
 * data, two end records, zip64 sizes that our limits make needless) are refused.
 */
export async function readZipStructure(file: FileHandle, limits: ArchiveLimits): Promise<ZipStructure> {
  const { size } = await file.stat();
  if (size === 0) throw invalidArchive('the file is empty');
  const head = await readAt(file, 0, Math.min(4, size));
  if (head.length < 4 || (head.readUInt32LE(0) !== 0x04034b50 && head.readUInt32LE(0) !== endRecordSignature)) {
    throw invalidArchive('the file is not a zip');
  }
  const tailBytes = Math.min(size, endRecordBytes + maxCommentBytes);
  const tail = await readAt(file, size - tailBytes, tailBytes);
  const found = endRecordsIn(tail);
  if (found.length === 0) throw invalidArchive('its end record is missing, so the file is truncated or not a zip');
  if (found.length > 1) throw invalidArchive('it has more than one end record');
  const at = found[0] as number;
  const record = tail.subarray(at);
  const entryCount = record.readUInt16LE(10);
  const directoryBytes = record.readUInt32LE(12);
  const directoryOffset = record.readUInt32LE(16);
  if (entryCount === 0xffff || directoryBytes === 0xffffffff || directoryOffset === 0xffffffff) {
    throw invalidArchive('it is a zip64 archive, which its allowed size does not need');
  }
  if (record.readUInt16LE(4) !== 0 || record.readUInt16LE(8) !== entryCount) {
    throw invalidArchive('it is one part of several');
  }
  if (entryCount > limits.entries) throw invalidArchive(`it has more than ${limits.entries} entries`);
  if (directoryOffset + directoryBytes !== size - tailBytes + at) {
    throw invalidArchive('its central directory is not where its end record says');
  }
  return { entryCount, directoryOffset, endRecordBytes: tail.length - at };
}

/** Offsets of end records whose comment reaches exactly to the end of the file. A zip stored inside has others. */
function endRecordsIn(tail: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = tail.length - endRecordBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endRecordSignature) continue;
    if (at + endRecordBytes + tail.readUInt16LE(at + 20) === tail.length) offsets.push(at);
  }
  return offsets;
}

/** What a central directory entry says of its local part, to be compared with what is there. */
export interface LocalClaim {
  readonly offset: number;
  readonly name: Buffer;
  readonly method: number;
  readonly compressedBytes: number;
}

/**
 * Checks that the local headers agree with the central directory and that no two entries share bytes (overlapping
 * entries make bombs). Local headers begin at byte 0.
 */
export async function checkLocalHeaders(
  file: FileHandle,
  claims: readonly LocalClaim[],
  directoryOffset: number,
): Promise<void> {
  const ordered = [...claims].sort((one, other) => one.offset - other.offset);
  let end = 0;
  for (const claim of ordered) {
    const shown = JSON.stringify(claim.name.toString('utf8'));
    if (claim.offset < end) throw invalidArchive(`the entry ${shown} overlaps another one`);
    if (end === 0 && claim.offset !== 0) throw invalidArchive('there is data in front of its first entry');
    const header = await readAt(file, claim.offset, 30 + claim.name.length);
    if (header.length < 30 + claim.name.length || header.readUInt32LE(0) !== 0x04034b50) {
      throw invalidArchive(`the entry ${shown} is not where the central directory says`);
    }
    const nameBytes = header.readUInt16LE(26);
    if (nameBytes !== claim.name.length || !header.subarray(30).equals(claim.name)) {
      throw invalidArchive(`the entry ${shown} has another name in its local header`);
    }
    if (header.readUInt16LE(8) !== claim.method || (header.readUInt16LE(6) & 1) === 1) {
      throw invalidArchive(`the entry ${shown} is stored differently than the central directory says`);
    }
    end = claim.offset + 30 + nameBytes + header.readUInt16LE(28) + claim.compressedBytes;
    if (end > directoryOffset) throw invalidArchive(`the entry ${shown} runs into the central directory`);
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
