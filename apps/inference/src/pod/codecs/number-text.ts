/**
 * Writes numbers as JSON text straight into bytes. A float is printed with the fewest digits that read back to the same
 * value, and always looks like a float (`4.0`), so that a data frame made from the answer keeps its column's type.
 * Callers make sure that `maxNumberBytes` bytes are free; every function returns the position after the text.
 */
export const maxNumberBytes = 32;

const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const minus = 45;
const dot = 46;
const zero = 48;

/** NaN and infinities have no JSON form: they become `null`. */
export function writeFloat32(out: Uint8Array, position: number, value: number): number {
  let at = position;
  if (!Number.isFinite(value)) return writeAscii(out, at, 'null');
  let magnitude = value;
  if (value < 0 || Object.is(value, -0)) {
    out[at++] = minus;
    magnitude = -value;
  }
  if (magnitude < 16777216 && magnitude === Math.trunc(magnitude)) {
    at = writeDigits(out, at, magnitude);
    out[at++] = dot;
    out[at++] = zero;
    return at;
  }
  // Outside this range powers of ten are not exact doubles, and the scaling below would pick wrong digits.
  if (magnitude < 1e-12 || magnitude > 1e20) return writeExtremeFloat32(out, at, magnitude);
  return writeScaledFloat32(out, at, magnitude);
}

/**
 * Six digits always survive decimal → float32 → decimal, so when six digits read back, dropping their trailing zeros
 * gives the shortest form; else seven, eight or nine do, tried in that order. Each try is checked by reading it back.
 * Around a power of two the decimals that read back lie lopsided; that the nearest is always among them in this range
 * is shown by the test that tries every power.
 */
function writeScaledFloat32(out: Uint8Array, position: number, magnitude: number): number {
  const exponent = decimalExponent(magnitude);
  for (let digits = 6; digits <= 9; digits += 1) {
    const shift = digits - 1 - exponent;
    const nearest = Math.round(scale(magnitude, shift));
    // Not -shift, which can be -0: no index for V8's compilers, which then give the function up again and again.
    const power = exponent - digits + 1;
    if (Math.fround(scale(nearest, power)) === magnitude) return writeDecimal(out, position, nearest, power);
  }
  return writeExtremeFloat32(out, position, magnitude);
}

/** The exponent of the greatest power of ten that is not above the magnitude, which is below 10^22. */
function decimalExponent(magnitude: number): number {
  if (magnitude >= 1) {
    let exponent = 0;
    while (magnitude >= powersOfTen[exponent + 1]!) exponent += 1;
    return exponent;
  }
  const exponent = Math.floor(Math.log10(magnitude));
  // log10 may round up to a whole number just below a power of ten.
  return magnitude < scale(1, exponent) ? exponent - 1 : exponent;
}

/** `value` times ten to the `exponent`, rounded once while the power is exact (|exponent| <= 22). */
function scale(value: number, exponent: number): number {
  if (exponent >= 0) return exponent <= 22 ? value * powersOfTen[exponent]! : value * 10 ** exponent;
  return exponent >= -22 ? value / powersOfTen[-exponent]! : value / 10 ** -exponent;
}

function writeExtremeFloat32(out: Uint8Array, position: number, magnitude: number): number {
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = magnitude.toExponential(digits - 1);
    const split = text.indexOf('e');
    const nearest = Number(text.slice(0, split).replace('.', ''));
    const exponent = Number(text.slice(split + 1)) - digits + 1;
    for (const candidate of [nearest, nearest + 1, nearest - 1]) {
      if (Math.fround(Number(`${candidate}e${exponent}`)) === magnitude) {
        return writeDecimal(out, position, candidate, exponent);
      }
    }
  }
  return writeAscii(out, position, String(magnitude));
}

/** Writes digits × 10^exponent: plainly from 1e-5 up to 1e13, with an exponent outside. At most nine digits and a carry. */
function writeDecimal(out: Uint8Array, position: number, digits: number, exponent: number): number {
  // 32-bit integers from here on: their remainders and quotients cost a fraction of those of doubles.
  let significant = digits | 0;
  let power = exponent;
  while (significant % 10 === 0) {
    significant = (significant / 10) | 0;
    power += 1;
  }
  const count = countDigits(significant);
  const point = count + power;
  if (power >= 0 && point <= 13) {
    let at = writeDigits(out, position, significant);
    for (let index = 0; index < power; index += 1) out[at++] = zero;
    out[at++] = dot;
    out[at++] = zero;
    return at;
  }
  if (point > 0 && point <= 13) return writePointed(out, position, significant, { count, point });
  if (point > -5 && point <= 0) {
    let at = position;
    out[at++] = zero;
    out[at++] = dot;
    for (let index = point; index < 0; index += 1) out[at++] = zero;
    return writeDigits(out, at, significant);
  }
  const at =
    count === 1
      ? writeDigits(out, position, significant)
      : writePointed(out, position, significant, { count, point: 1 });
  return writeAscii(out, at, `e${point - 1}`);
}

/** Writes `digits` with a decimal point after the first `point` of its `count` digits. */
function writePointed(
  out: Uint8Array,
  position: number,
  digits: number,
  { count, point }: { count: number; point: number },
): number {
  let rest = digits;
  let at = position + count;
  for (let index = count; index > point; index -= 1) {
    const tenth = (rest / 10) | 0;
    out[at--] = zero + (rest - tenth * 10);
    rest = tenth;
  }
  out[at] = dot;
  writeDigits(out, position, rest);
  return position + count + 1;
}

function countDigits(value: number): number {
  let count = 1;
  while (value >= powersOfTen[count]!) count += 1;
  return count;
}

/** Writes a whole number from 0 to 2^53. */
export function writeDigits(out: Uint8Array, position: number, value: number): number {
  const end = position + countDigits(value);
  if (value <= 0x7fff_ffff) {
    let small = value | 0;
    for (let at = end - 1; at >= position; at -= 1) {
      const tenth = (small / 10) | 0;
      out[at] = zero + (small - tenth * 10);
      small = tenth;
    }
    return end;
  }
  let rest = value;
  for (let at = end - 1; at >= position; at -= 1) {
    const tenth = Math.trunc(rest / 10);
    out[at] = zero + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}

export function writeInteger(out: Uint8Array, position: number, value: number): number {
  if (value >= 0) return writeDigits(out, position, value);
  out[position] = minus;
  return writeDigits(out, position + 1, -value);
}

export function writeFloat64(out: Uint8Array, position: number, value: number): number {
  if (!Number.isFinite(value)) return writeAscii(out, position, 'null');
  const text = Object.is(value, -0) ? '-0' : String(value);
  return writeAscii(out, position, /[.e]/.test(text) ? text : `${text}.0`);
}

export function writeAscii(out: Uint8Array, position: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) out[position + index] = text.charCodeAt(index);
  return position + text.length;
}
