import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputBatch, InputHint, InputHints } from '../input-batch.ts';
import { readJsonRecords } from './json-rows.ts';
import { RecordScanner } from './record-scanner.ts';

const maxRows = 50;
/**
 * Bodies that are made, valid and damaged together. `npm run faults` takes a million, for which it needs some two
 * minutes.
 */
const bodies = Number(process.env['PADEMELON_SCANNER_BODIES'] ?? 8_000);
const limitMs = 30_000 + bodies * 2;
const hints: InputHints = new Map<string, InputHint>([
  ['tensor', { type: 'float32', rowShape: [3] }],
  ['open', { type: 'float32', rowShape: [null] }],
  ['wide', { type: 'float64', rowShape: [2] }],
  ['plain', { type: 'float64', rowShape: [1] }],
  ['count', { type: 'int64', rowShape: [] }],
]);

function scan(body: Buffer): InputBatch | null {
  return new RecordScanner(hints).scan(body, maxRows);
}

/** What the fallback makes of a body: a batch, or the sentence of its refusal. */
function fallback(body: Buffer): InputBatch | string {
  try {
    return readJsonRecords(body, { hints, maxRows });
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
}

function describeColumn({ name, type, rowShape, values, offsets }: Column): unknown {
  return {
    name,
    type,
    rowShape,
    offsets,
    values: Array.from(values as Float32Array, (value) => (Object.is(value, -0) ? '-0' : value)),
  };
}

function describeBatch({ rowCount, columns, text }: InputBatch): unknown {
  return { rowCount, columns: columns.map(describeColumn), bounds: text && [...text.bounds] };
}

/** Whatever the scanner accepts, the fallback must accept and read alike. */
function expectSame(body: Buffer): InputBatch | null {
  const scanned = scan(body);
  if (scanned === null) return null;
  const read = fallback(body);
  expect(typeof read, `scanned, but the fallback says: ${read}`).toBe('object');
  expect(describeBatch(scanned)).toEqual(describeBatch(read as InputBatch));
  return scanned;
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n  ');
const digits = (min: number, max: number) =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: min, maxLength: max }).map((list) => list.join(''));
/** JSON numbers in all their forms, many beyond what a double holds exactly. */
const numberText = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc
    .tuple(fc.constantFrom('', '-'), fc.constantFrom('0', '1', '7', '12', '9007199254740993'), digits(0, 20))
    .map(([sign, whole, rest]) => `${sign}${whole}${rest === '' ? '' : `.${rest}`}`),
  // About 2^53, where every step of the arithmetic must be exact.
  fc
    .tuple(fc.bigInt({ min: 2n ** 53n - 2_000n, max: 2n ** 53n + 100n }), fc.nat(15))
    .map(([value, decimals]) => `${value}`.replace(new RegExp(`(.{${decimals}})$`), decimals === 0 ? '$1' : '.$1')),
  fc
    .tuple(digits(1, 3), fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), digits(1, 2))
    .map(([mantissa, e, sign, exponent]) => `${Number(mantissa)}${e}${sign}${exponent}`),
);

const listText = (length: number) =>
  fc
    .tuple(fc.array(numberText, { minLength: length, maxLength: length }), space, space)
    .map(([items, before, after]) => `[${before}${items.join(`${after},${before}`)}${after}]`);

const cellTexts = {
  tensor: listText(3),
  wide: listText(2),
  plain: numberText,
  open: fc.nat(4).chain(listText),
  count: fc.oneof(fc.integer().map(String), fc.bigInt().map(String), numberText),
  // No model asks for it.
  other: fc.oneof(
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('null', 'true', '{"a":[1]}'),
    numberText,
  ),
};
type CellName = keyof typeof cellTexts;

const cellNames = fc.oneof(
  { weight: 3, arbitrary: fc.subarray<CellName>(['tensor', 'wide', 'plain'], { minLength: 1 }) },
  { weight: 1, arbitrary: fc.subarray(Object.keys(cellTexts) as CellName[], { minLength: 1 }) },
);

/** As it is, now and then with its first letter escaped. */
const keyText = (name: CellName) => {
  const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`;
  return fc.oneof({ weight: 40, arbitrary: fc.constant(name) }, { weight: 1, arbitrary: fc.constant(escaped) });
};

const bodyText = fc.tuple(cellNames, fc.integer({ min: 1, max: 5 }), space).chain(([names, rows, gap]) => {
  const row = fc
    .tuple(...names.map((name) => fc.tuple(keyText(name), cellTexts[name])))
    .map((cells) => `{${gap}${cells.map(([key, cell]) => `"${key}"${gap}:${gap}${cell}`).join(`${gap},`)}${gap}}`);
  return fc.array(row, { minLength: rows, maxLength: rows }).map((list) => `${gap}[${list.join(`,${gap}`)}]${gap}`);
});

describe('RecordScanner', () => {
  it('reads rows exactly as the fallback does', { timeout: limitMs }, () => {
    let scanned = 0;
    fc.assert(
      fc.property(bodyText, (text) => {
        if (expectSame(Buffer.from(text)) !== null) scanned++;
      }),
      { numRuns: bodies / 4 },
    );
    // A scanner that leaves everything to the fallback would agree with it, too.
    expect(scanned).toBeGreaterThan(bodies / 40);
  });

  it('takes rows of plain numbers itself', () => {
    const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 20 }), (rows) => {
        expect(expectSame(Buffer.from(JSON.stringify(rows.map((tensor) => ({ tensor })))))).not.toBeNull();
      }),
    );
  });

  it('accepts nothing that the fallback refuses, however a body is damaged', { timeout: limitMs }, () => {
    const damage = fc.record({
      at: fc.nat(400),
      remove: fc.nat(3),
      insert: fc.constantFrom(
        '',
        '0',
        '-',
        '.',
        'e',
        ',',
        ']',
        '}',
        '[',
        '{',
        '"',
        ' ',
        'é',
        '1e400',
        'NaN',
        'null',
        '\\',
      ),
    });
    fc.assert(
      fc.property(bodyText, damage, (text, { at, remove, insert }) => {
        const position = at % text.length;
        expectSame(Buffer.from(text.slice(0, position) + insert + text.slice(position + remove)));
      }),
      { numRuns: (bodies * 3) / 4 },
    );
  });

  it.each([
    ['[{"tensor":[01,2,3]}]'],
    ['[{"tensor":[1.,2,3]}]'],
    ['[{"tensor":[-,2,3]}]'],
    ['[{"tensor":[1,2,3]}] x'],
    ['[{"tensor":[1,2,3]},]'],
    ['[{"tensor":[1,2,3]}'],
    ['[{"tensor":[1,2,3'],
    ['[{"tensor":[1e39,2,3]}]'],
    ['[{"tensor":[1,2]}]'],
    ['[{"tensor":[1,2,3]},{"tensor":[1,2]}]'],
    ['[{"tensor":[1,2,3],"tensor":[1,2,3]}]'],
    ['[{"count":1}]'],
    ['[{"tensor":[1,2,3],"other":1}]'],
    ['[]'],
    ['[{}]'],
    [''],
  ])('leaves %s to the fallback', (text) => {
    expect(scan(Buffer.from(text))).toBeNull();
  });

  it.each(['-90071992547409.83', '9007199254740990', '9007199254.740989'])('reads %s to the last digit', (text) => {
    const batch = expectSame(Buffer.from(`[{"plain":${text}}]`));
    expect(batch!.columns[0]!.values[0]).toBe(Number(text));
  });

  it('keeps nothing of a request that it gave up', () => {
    const scanner = new RecordScanner(hints);
    expect(scanner.scan(Buffer.from('[{"tensor":[1,2,3]},{"tensor":[4,5,'), maxRows)).toBeNull();
    const batch = scanner.scan(Buffer.from('[{"tensor":[7,8,9]}]'), maxRows);
    expect([...(batch!.columns[0]!.values as Float32Array)]).toEqual([7, 8, 9]);
  });

  it('leaves more rows than are allowed to the fallback, which says so', () => {
    const body = Buffer.from(JSON.stringify(Array.from({ length: maxRows + 1 }, () => ({ tensor: [1, 2, 3] }))));
    expect(scan(body)).toBeNull();
    expect(fallback(body)).toBe('The request has 51 rows; at most 50 are taken at once.');
  });
});
