import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxNumberBytes, writeFloat32, writeFloat64, writeInteger } from './number-text.ts';

const out = Buffer.alloc(maxNumberBytes);
const float32Text = (value: number) => out.toString('latin1', 0, writeFloat32(out, 0, value));
const float64Text = (value: number) => out.toString('latin1', 0, writeFloat64(out, 0, value));
const integerText = (value: number) => out.toString('latin1', 0, writeInteger(out, 0, value));

const fromBits = (bits: number): number => new Float32Array(new Uint32Array([bits]).buffer)[0]!;

function significantDigits(text: string): string {
  const digits = text.replace(/e.*/, '').replace(/[-.]/g, '').replace(/^0+/, '');
  return digits.replace(/0+$/, '');
}

/** The fewest digits that read back, found by trying every count and both neighbours of the nearest decimal. */
function shortestLength(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude === 0) return 0;
  for (let digits = 1; digits <= 9; digits += 1) {
    const [mantissa, exponent] = magnitude.toExponential(digits - 1).split('e');
    const nearest = Number(mantissa!.replace('.', ''));
    for (const candidate of [nearest - 1, nearest, nearest + 1]) {
      const text = `${candidate}e${Number(exponent) - digits + 1}`;
      if (Math.fround(Number(text)) === magnitude) return digits;
    }
  }
  throw new Error(`no form of ${value} reads back`);
}

describe('float32 text', () => {
  it('reads back to the same float32 and no form with fewer digits does', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = float32Text(value);
        expect(Object.is(Math.fround(Number(text)), Math.fround(value)), `${value} became ${text}`).toBe(true);
        expect(JSON.parse(text)).toBe(Number(text));
        expect(significantDigits(text).length).toBeLessThanOrEqual(shortestLength(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it('prints short decimals as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: -11, max: 12 }), (digits, exponent) => {
        const value = Math.fround(Number(`${digits}e${exponent}`));
        expect(significantDigits(float32Text(value)), `${digits}e${exponent}`).toBe(String(digits).replace(/0+$/, ''));
      }),
      { numRuns: 20_000 },
    );
  });

  it('holds around every power of two, where the interval that reads back is lopsided', () => {
    for (let exponent = 0; exponent < 255; exponent += 1) {
      for (const mantissa of [0, 1, 2, 0x7fffff, 0x7ffffe]) {
        const value = fromBits(exponent * 0x800000 + mantissa);
        const text = float32Text(value);
        expect(Math.fround(Number(text)), text).toBe(value);
        expect(significantDigits(text).length, text).toBeLessThanOrEqual(shortestLength(value));
      }
    }
  });

  it('holds around every power of ten', () => {
    for (let exponent = -45; exponent <= 38; exponent += 1) {
      const near = Math.fround(Number(`1e${exponent}`));
      const bits = new Uint32Array(new Float32Array([near]).buffer)[0]!;
      for (const value of [near, fromBits(bits + 1), fromBits(Math.max(0, bits - 1))]) {
        const text = float32Text(value);
        expect(Math.fround(Number(text)), text).toBe(value);
        expect(significantDigits(text).length, text).toBeLessThanOrEqual(shortestLength(value));
      }
    }
  });

  it.each([
    [718013.6875, '718013.7'],
    [Math.fround(0.001497417688369751), '0.0014974177'],
    [4, '4.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [-1.5, '-1.5'],
    [33554432, '33554432.0'],
    [Math.fround(1e-7), '1e-7'],
    [Math.fround(1.5e30), '1.5e30'],
    [3.4028234663852886e38, '3.4028235e38'],
    [1.401298464324817e-45, '1e-45'],
    [Number.NaN, 'null'],
    [Number.POSITIVE_INFINITY, 'null'],
  ])('prints %d as %s', (value, text) => {
    expect(float32Text(value)).toBe(text);
  });
});

describe('other numbers', () => {
  it('prints a float64 so that it reads back and looks like a float', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = float64Text(value);
        expect(Object.is(Number(text), value)).toBe(true);
        expect(text).toMatch(/[.e]/);
      }),
    );
  });

  it('prints whole numbers exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(integerText(value)).toBe(String(value));
      }),
    );
  });
});
