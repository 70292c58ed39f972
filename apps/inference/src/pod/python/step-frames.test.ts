import type { Column } from '@pademelon/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeColumns, encodeFrame, type Frame, FrameReader } from './step-frames.ts';

const columns: Column[] = [
  { name: 'f32', type: 'float32', rowShape: [2], values: Float32Array.of(1.5, -2, Number.NaN, 4) },
  { name: 'f64', type: 'float64', rowShape: [], values: Float64Array.of(0.1, 1e300) },
  { name: 'i64', type: 'int64', rowShape: [], values: BigInt64Array.of(2n ** 62n, -1n) },
  { name: 'u8', type: 'uint8', rowShape: [3], values: Uint8Array.of(1, 2, 3, 4, 5, 255) },
  { name: 'yes', type: 'bool', rowShape: [], values: Uint8Array.of(1, 0) },
  { name: 'text', type: 'utf8', rowShape: [], values: ['', 'größer\n🦘'] },
  { name: 'ragged', type: 'int16', rowShape: [-1], values: Int16Array.of(7, 8, 9), offsets: Int32Array.of(0, 3, 3) },
];

function bytesOf(pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat(pieces);
}

function read(bytes: Uint8Array, pieceLength: number): Frame[] {
  const reader = new FrameReader(1e6);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength)
    frames.push(...reader.push(bytes.subarray(at, at + pieceLength)));
  return frames;
}

describe('a frame', () => {
  test.each([1, 7, 8, 64, 1e6])('brings every kind of column over, in pieces of %i bytes', (pieceLength) => {
    const [frame, ...others] = read(bytesOf(encodeFrame({ rows: 2, note: 'hello' }, columns)), pieceLength);
    expect(others).toEqual([]);
    expect(frame!.header).toMatchObject({ rows: 2, note: 'hello' });
    expect(decodeColumns(frame!)).toEqual(columns);
  });

  test('follows another one without a gap, wherever they are cut', () => {
    const one = bytesOf(encodeFrame({ rows: 2, id: 1 }, columns));
    const two = bytesOf(encodeFrame({ rows: 0, id: 2 }, []));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: one.length + two.length }), (pieceLength) => {
        const frames = read(Buffer.concat([one, two, one]), pieceLength);
        expect(frames.map(({ header }) => header['id'])).toEqual([1, 2, 1]);
        expect(decodeColumns(frames[2]!)).toEqual(columns);
      }),
      { numRuns: 50 },
    );
  });

  test('longer than allowed is refused before it is waited for', () => {
    const bytes = bytesOf(encodeFrame({ rows: 2 }, columns));
    expect(() => new FrameReader(100).push(bytes.subarray(0, 8))).toThrow(/longer than the 100/);
  });

  test('with columns beyond its end is refused', () => {
    const [frame] = read(bytesOf(encodeFrame({ rows: 2 }, columns)), 1e6);
    const short = { ...frame!, bytes: frame!.bytes.slice(0, frame!.bytes.byteLength - 8) };
    expect(() => decodeColumns(short)).toThrow(RangeError);
  });
});
