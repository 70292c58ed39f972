import fc from 'fast-check';
import { compress } from 'lz4js';
import { describe, expect, it } from 'vitest';
import { decodeLz4Frame } from './lz4-frame.ts';

const limit = 10_000_000;

describe('decodeLz4Frame', () => {
  it('gives back what another implementation compressed', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 5_000 }))
        .map(([part, times]) => Uint8Array.from({ length: part.length * times }, (_, at) => part[at % part.length]!)),
    );
    fc.assert(
      fc.property(bytes, (plain) => {
        expect(Buffer.compare(decodeLz4Frame(compress(Buffer.from(plain)), limit), plain)).toBe(0);
      }),
    );
  });

  it('decodes frames of several blocks', () => {
    const plain = Buffer.alloc(9_000_000, 'some text that repeats itself; ');
    expect(Buffer.compare(decodeLz4Frame(compress(plain), limit), plain)).toBe(0);
  });

  it('refuses more than the limit, announced or not', () => {
    const bomb = compress(Buffer.alloc(9_000_000));
    expect(bomb.length).toBeLessThan(50_000);
    expect(() => decodeLz4Frame(bomb, 1_000_000)).toThrow(/more than 1000000 bytes/);
    const announced = Buffer.from('04224d186840000000000000ff7f', 'hex');
    expect(() => decodeLz4Frame(Buffer.concat([announced, Buffer.alloc(8)]), limit)).toThrow(RangeError);
  });

  it.each<[string, number[]]>([
    ['refers back before its beginning', [0x10, 65, 5, 0, 0x10, 65]],
    ['refers back by nothing', [0x10, 65, 0, 0, 0x10, 65]],
    ['has fewer literals than it says', [0x50, 65]],
    ['holds more than a block may', [0x1f, 65, 1, 0, ...new Array<number>(400).fill(255), 0]],
  ])('refuses a block that %s', (_what, block) => {
    const header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
    const frame = Uint8Array.from([...header, block.length & 255, block.length >> 8, 0, 0, ...block, 0, 0, 0, 0]);
    expect(() => decodeLz4Frame(frame, limit)).toThrow('the LZ4 data is malformed');
  });

  it('ends with a RangeError or an answer on any damage', () => {
    const frame = Buffer.from(compress(Buffer.from('abcabcabcabcabcabcabcabc, abcabcabcabcabc; '.repeat(20))));
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.nat(255), fc.nat(frame.length), (at, value, length) => {
        const damaged = Buffer.from(frame.subarray(0, length));
        if (at < length) damaged[at] = value;
        try {
          decodeLz4Frame(damaged, limit);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('cannot be kept busy by a length of many bytes', () => {
    const header = Buffer.from('04224d186040820000a000', 'hex').subarray(0, 7);
    const block = Buffer.concat([Buffer.from([0x1f, 1, 1, 0]), Buffer.alloc(20_000_000, 255)]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    const startedAt = performance.now();
    expect(() => decodeLz4Frame(Buffer.concat([header, size, block, Buffer.alloc(4)]), 64_000_000)).toThrow(RangeError);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
