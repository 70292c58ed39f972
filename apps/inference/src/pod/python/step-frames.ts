import type { Column, ColumnType, ColumnValues } from '@pademelon/contracts';

/*
 * What a pod and the process of a Python step send each other, in both directions: two little-endian u32 (bytes of the
 * header, bytes of the payload), a JSON header, then the payload. The header and every part of the payload are padded to
 * eight bytes, so that both sides read columns where they lie.
 *
 * A column's parts: for rows of differing lengths first `offsets` (rows + 1 int32), then its values as they are in
 * memory; strings are a u32 length for each and then all their bytes.
 */

/** A column as the header describes it. */
interface ColumnHeader extends Pick<Column, 'name' | 'type' | 'rowShape'> {
  /** Number of values. */
  readonly length: number;
  readonly isRagged: boolean;
  /** Bytes of all strings; 0 for every other type. */
  readonly textBytes: number;
}

export interface Frame {
  readonly header: { readonly [key: string]: unknown };
  /** The frame without its prefix; its payload begins at `payloadStart`. */
  readonly bytes: ArrayBuffer;
  readonly payloadStart: number;
}

const prefixBytes = 8;

/** The pieces of a frame that carries these columns. They refer to the columns' memory until they are written. */
export function encodeFrame(header: object, columns: readonly Column[]): Uint8Array[] {
  const encoded = columns.map(encodeColumn);
  const parts = encoded.flatMap((column) => column.parts);
  const payloadBytes = parts.reduce((sum, part) => sum + padded(part.byteLength), 0);
  const json = Buffer.from(JSON.stringify({ ...header, columns: encoded.map((column) => column.header) }));
  const head = Buffer.alloc(prefixBytes + padded(json.length), ' ');
  head.writeUInt32LE(padded(json.length), 0);
  head.writeUInt32LE(payloadBytes, 4);
  json.copy(head, prefixBytes);
  return [head, ...parts.flatMap((part) => [part, new Uint8Array(padded(part.byteLength) - part.byteLength)])];
}

/** The columns of a received frame, their values in its own memory. Throws a RangeError when they do not fit in it. */
export function decodeColumns({ header, bytes, payloadStart }: Frame): Column[] {
  let at = payloadStart;
  const take = (byteLength: number): number => {
    const start = at;
    at += padded(byteLength);
    if (at > bytes.byteLength) throw new RangeError('The columns of a frame are longer than the frame.');
    return start;
  };
  const offsetCount = (header['rows'] as number) + 1;
  return (header['columns'] as readonly ColumnHeader[]).map(({ name, type, rowShape, length, ...column }) => {
    const offsets = column.isRagged ? new Int32Array(bytes, take(4 * offsetCount), offsetCount) : undefined;
    const values =
      type === 'utf8'
        ? readTexts(bytes, { lengths: new Uint32Array(bytes, take(4 * length), length), start: take(column.textBytes) })
        : readNumbers(bytes, { type, length, start: take(length * valueBytes[type]) });
    return offsets === undefined ? { name, type, rowShape, values } : { name, type, rowShape, values, offsets };
  });
}

/** Puts frames together from the pieces in which they arrive. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixLength = 0;
  #body: Buffer<ArrayBuffer> | null = null;
  #bodyLength = 0;

  /** `maxBytes`: the longest frame that is taken. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws a RangeError for a frame that is too long, a SyntaxError for a header that is no JSON. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#body === null ? this.#fillPrefix(rest) : this.#fillBody(this.#body, rest);
      if (this.#body !== null && this.#bodyLength === this.#body.length) frames.push(this.#finish(this.#body));
    }
    return frames;
  }

  #fillPrefix(chunk: Uint8Array): Uint8Array {
    const part = chunk.subarray(0, prefixBytes - this.#prefixLength);
    this.#prefix.set(part, this.#prefixLength);
    this.#prefixLength += part.length;
    if (this.#prefixLength === prefixBytes) {
      const length = this.#prefix.readUInt32LE(0) + this.#prefix.readUInt32LE(4);
      if (length > this.#maxBytes) {
        throw new RangeError(`A frame of ${length} bytes is longer than the ${this.#maxBytes} that are taken.`);
      }
      this.#body = Buffer.from(new ArrayBuffer(length));
      this.#bodyLength = 0;
    }
    return chunk.subarray(part.length);
  }

  #fillBody(body: Buffer, chunk: Uint8Array): Uint8Array {
    const part = chunk.subarray(0, body.length - this.#bodyLength);
    body.set(part, this.#bodyLength);
    this.#bodyLength += part.length;
    return chunk.subarray(part.length);
  }

  #finish(body: Buffer<ArrayBuffer>): Frame {
    const payloadStart = this.#prefix.readUInt32LE(0);
    this.#prefixLength = 0;
    this.#body = null;
    return { header: JSON.parse(body.toString('utf8', 0, payloadStart)), bytes: body.buffer, payloadStart };
  }
}

function encodeColumn({ name, type, rowShape, values, offsets }: Column): {
  header: ColumnHeader;
  parts: Uint8Array[];
} {
  const parts: Uint8Array[] = offsets === undefined ? [] : [bytesOf(offsets)];
  let textBytes = 0;
  if (ArrayBuffer.isView(values)) {
    parts.push(bytesOf(values));
  } else {
    const lengths = Uint32Array.from(values, (text) => Buffer.byteLength(text));
    const text = Buffer.from(values.join(''));
    textBytes = text.length;
    parts.push(bytesOf(lengths), text);
  }
  const header = { name, type, rowShape, length: values.length, isRagged: offsets !== undefined, textBytes };
  return { header, parts };
}

const valueBytes: Readonly<Record<Exclude<ColumnType, 'utf8'>, number>> = {
  float32: 4,
  float64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
};

function readNumbers(
  bytes: ArrayBuffer,
  { type, length, start }: { type: Exclude<ColumnType, 'utf8'>; length: number; start: number },
): ColumnValues {
  switch (type) {
    case 'float32':
      return new Float32Array(bytes, start, length);
    case 'float64':
      return new Float64Array(bytes, start, length);
    case 'int8':
      return new Int8Array(bytes, start, length);
    case 'int16':
      return new Int16Array(bytes, start, length);
    case 'int32':
      return new Int32Array(bytes, start, length);
    case 'int64':
      return new BigInt64Array(bytes, start, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(bytes, start, length);
    case 'uint16':
      return new Uint16Array(bytes, start, length);
    case 'uint32':
      return new Uint32Array(bytes, start, length);
    case 'uint64':
      return new BigUint64Array(bytes, start, length);
  }
}

function readTexts(bytes: ArrayBuffer, { lengths, start }: { lengths: Uint32Array; start: number }): string[] {
  const text = Buffer.from(bytes);
  let at = start;
  return Array.from(lengths, (length) => {
    at += length;
    return text.toString('utf8', at - length, at);
  });
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function padded(byteLength: number): number {
  return (byteLength + 7) & ~7;
}
