import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of a zip under test; whatever is not given is as an honest zip program would write it. */
export interface ZipEntrySpec {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** 0 stored, 8 deflated (default); others are written without being applied. */
  readonly method?: number;
  readonly flags?: number;
  /** Unix mode bits, file kind included. */
  readonly mode?: number;
  readonly declaredSize?: number;
  readonly declaredCrc?: number;
  readonly localName?: string | Buffer;
  /** Extra fields of the entry in the central directory, for example its zip64 sizes. */
  readonly extra?: Buffer;
  readonly offset?: number;
}

export interface ZipSpec {
  readonly prefix?: Buffer;
  readonly comment?: Buffer;
  readonly entryCount?: number;
}

/** Builds a zip byte by byte, honest or hostile. */
export function buildZip(entries: readonly ZipEntrySpec[], spec: ZipSpec = {}): Buffer {
  const parts: Buffer[] = [spec.prefix ?? Buffer.alloc(0)];
  const directory: Buffer[] = [];
  let offset = parts[0]?.length ?? 0;
  for (const entry of entries) {
    const { local, central } = buildEntry(entry, offset);
    parts.push(local);
    directory.push(central);
    offset += local.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(spec.entryCount ?? entries.length, 8);
  end.writeUInt16LE(spec.entryCount ?? entries.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(spec.comment?.length ?? 0, 20);
  return Buffer.concat([...parts, directoryBytes, end, spec.comment ?? Buffer.alloc(0)]);
}

function buildEntry(entry: ZipEntrySpec, offset: number): { local: Buffer; central: Buffer } {
  const name = toBuffer(entry.name);
  const localName = toBuffer(entry.localName ?? entry.name);
  const content = toBuffer(entry.content ?? '');
  const method = entry.method ?? 8;
  const stored = method === 8 ? deflateRawSync(content) : content;
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(entry.flags ?? 0x800, 2);
  shared.writeUInt16LE(method, 4);
  shared.writeUInt32LE((entry.declaredCrc ?? crc32(content)) >>> 0, 10);
  shared.writeUInt32LE(stored.length, 14);
  shared.writeUInt32LE(entry.declaredSize ?? content.length, 18);
  shared.writeUInt16LE(localName.length, 22);
  const localSignature = Buffer.from([0x50, 0x4b, 3, 4]);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE((3 << 8) | 20, 4);
  shared.copy(central, 6);
  central.writeUInt16LE(name.length, 28);
  const extra = entry.extra ?? Buffer.alloc(0);
  central.writeUInt16LE(extra.length, 30);
  central.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
  central.writeUInt32LE(entry.offset ?? offset, 42);
  return {
    local: Buffer.concat([localSignature, shared, localName, stored]),
    central: Buffer.concat([central, name, extra]),
  };
}

function toBuffer(text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : text;
}
