/*
 * Decoder for LZ4 frames (github.com/lz4/lz4, doc/lz4_Frame_format.md and lz4_Block_format.md), as pyarrow writes them
 * by default. Checks every length against what is there and against a limit: 20 MB of hostile input could otherwise
 * stand for 5 GB. Checksums are not verified; TCP and Arrow's own lengths stand for them.
 */

const magic = 0x184d2204;
const blockSizes: Readonly<Record<number, number>> = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 };
const minMatch = 4;

/** Throws RangeError when the frame is malformed or holds more than `maxBytes`. */
export function decodeLz4Frame(source: Uint8Array, maxBytes: number): Uint8Array {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const header = readHeader(source, view, maxBytes);
  const target = new Lz4Target(header.contentBytes ?? Math.min(source.length * 4, maxBytes), maxBytes);
  let at = header.length;
  for (;;) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const isStored = word >>> 31 === 1;
    const end = at + (word & 0x7fffffff);
    if (end > source.length) throw malformed();
    if (isStored) target.copy(source, at, end);
    else decodeBlock(source, { at, end }, { target, maxBytes: header.blockBytes });
    at = end + (header.hasBlockChecksums ? 4 : 0);
  }
  return target.content();
}

interface FrameHeader {
  readonly length: number;
  readonly blockBytes: number;
  readonly hasBlockChecksums: boolean;
  readonly contentBytes: number | null;
}

function readHeader(source: Uint8Array, view: DataView, maxBytes: number): FrameHeader {
  if (source.length < 7 || view.getUint32(0, true) !== magic) throw malformed();
  const flags = source[4]!;
  const blockBytes = blockSizes[(source[5]! >> 4) & 7];
  const hasDictionary = (flags & 1) !== 0;
  if (flags >> 6 !== 1 || blockBytes === undefined || hasDictionary) throw malformed();
  const hasContentSize = (flags & 8) !== 0;
  const contentBytes = hasContentSize ? Number(view.getBigUint64(6, true)) : null;
  if (contentBytes !== null && contentBytes > maxBytes) throw tooLarge(maxBytes);
  return { length: hasContentSize ? 15 : 7, blockBytes, hasBlockChecksums: (flags & 16) !== 0, contentBytes };
}

/** The decoded bytes so far, which later blocks may refer back to. */
class Lz4Target {
  bytes: Uint8Array;
  length = 0;
  readonly #maxBytes: number;

  constructor(firstBytes: number, maxBytes: number) {
    this.bytes = new Uint8Array(firstBytes);
    this.#maxBytes = maxBytes;
  }

  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    if (needed > this.#maxBytes) throw tooLarge(this.#maxBytes);
    const grown = new Uint8Array(Math.min(Math.max(needed, this.bytes.length * 2), this.#maxBytes));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    this.bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** Repeats `count` bytes from `distance` bytes back; the two may overlap. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) throw malformed();
    this.reserve(count);
    const { bytes } = this;
    const end = this.length + count;
    if (distance >= count) bytes.copyWithin(this.length, this.length - distance, this.length - distance + count);
    else for (let at = this.length; at < end; at += 1) bytes[at] = bytes[at - distance]!;
    this.length = end;
  }

  content(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

function decodeBlock(
  source: Uint8Array,
  { at: from, end }: { at: number; end: number },
  { target, maxBytes }: { target: Lz4Target; maxBytes: number },
): void {
  const limit = target.length + maxBytes;
  let at = from;
  while (at < end) {
    const token = source[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do literals += more = source[at++]!;
      while (more === 255 && at < end);
    }
    if (at + literals > end || target.length + literals > limit) throw malformed();
    target.copy(source, at, at + literals);
    at += literals;
    if (at === end) return;
    if (at + 2 > end) throw malformed();
    const distance = source[at]! | (source[at + 1]! << 8);
    at += 2;
    let count = token & 15;
    if (count === 15) {
      let more: number;
      do count += more = source[at++]!;
      while (more === 255 && at < end);
    }
    count += minMatch;
    if (at > end || target.length + count > limit) throw malformed();
    target.repeat(distance, count);
  }
}

function malformed(): RangeError {
  return new RangeError('the LZ4 data is malformed');
}

function tooLarge(maxBytes: number): RangeError {
  return new RangeError(`the compressed data holds more than ${maxBytes} bytes`);
}
