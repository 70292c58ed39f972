import { DomainError } from '@pademelon/domain/domain-error';
import { describe, expect, it } from 'vitest';
import type { InputHint, InputHints } from '../input-batch.ts';
import { readClassic, readJsonRecords } from './json-rows.ts';

const hints: InputHints = new Map<string, InputHint>([
  ['tensor', { type: 'float32', rowShape: [3] }],
  ['image', { type: 'float32', rowShape: [2, 2] }],
  ['id', { type: 'int64', rowShape: [] }],
  ['small', { type: 'uint8', rowShape: [2] }],
  ['flag', { type: 'bool', rowShape: [1] }],
  ['word', { type: 'utf8', rowShape: [] }],
]);
const options = { hints, maxRows: 4 };
const read = (body: string | Buffer) => readJsonRecords(Buffer.from(body as string), options);

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DomainError) return `${error.word}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('pandas records', () => {
  it.each<[string, string]>([
    ['', 'The body is empty; send rows as JSON.'],
    ['[]', 'The request has no rows.'],
    ['{}', 'The body must be a list of rows, [{"<column>": …}, …].'],
    ['null', 'The body must be a list of rows, [{"<column>": …}, …].'],
    ['[{}]', 'Row 0 has no columns.'],
    ['[1]', 'Row 0 is not an object with a value for each column.'],
    ['[{"tensor":[1,2,3]},null]', 'Row 1 is not an object with a value for each column.'],
    ['[{"tensor":[1,2]}]', 'Row 0, column "tensor": the model takes 3 values, but the cell has 2 values.'],
    ['[{"tensor":7}]', 'Row 0, column "tensor": the model takes 3 values, but the cell has 1 value.'],
    [
      '[{"tensor":[1,2,3]},{"tensor":[1,2,3,4]}]',
      'Row 1, column "tensor": the model takes 3 values, but the cell has 4 values.',
    ],
    ['[{"tensor":[1,[2],3]}]', 'Row 0, column "tensor": lists at the same depth must have the same length.'],
    ['[{"image":[[1,2],[3]]}]', 'Row 0, column "image": lists at the same depth must have the same length.'],
    [
      '[{"image":[[1,2],[3,4]]},{"image":[1,2,3,4]}]',
      'Row 1, column "image": the cell has the shape [4], but row 0 has [2, 2]; all rows must have the same.',
    ],
    [
      '[{"tensor":[1,"abc",3]}]',
      'Row 0, column "tensor", value 1: the model takes a float32 number, but found the string "abc".',
    ],
    ['[{"tensor":[1,2,null]}]', 'Row 0, column "tensor", value 2: the model takes a float32 number, but found null.'],
    ['[{"tensor":[1,true,3]}]', 'Row 0, column "tensor", value 1: the model takes a float32 number, but found true.'],
    [
      '[{"tensor":[1,{},3]}]',
      'Row 0, column "tensor", value 1: the model takes a float32 number, but found an object.',
    ],
    ['[{"tensor":[1,2,1e39]}]', 'Row 0, column "tensor", value 2: the model takes a float32 number, but found 1e+39.'],
    [
      '[{"tensor":[1,2,1e400]}]',
      'Row 0, column "tensor", value 2: the model takes a float32 number, but found a number beyond its range.',
    ],
    [
      '[{"tensor":[1,2,3]},{}]',
      'Row 1 lacks the column "tensor" that row 0 has; all rows must have the same columns, each once.',
    ],
    [
      '[{"tensor":[1,2,3]},{"tensor":[1,2,3],"b":1}]',
      'Row 1 has a column "b" that row 0 has not; all rows must have the same columns, each once.',
    ],
    [
      '[{"tensor":[1,2,3],"tensor":[4,5,6]}]',
      'Row 0 has the column "tensor" twice; all rows must have the same columns, each once.',
    ],
    [
      '[{"tensor":[1,2,3],"\\u0074ensor":[4,5,6]}]',
      'Row 0 has the column "tensor" twice; all rows must have the same columns, each once.',
    ],
    ['[{"__proto__":[1,2,3]}]', 'A column may not be named "__proto__".'],
    ['[{"constructor":1}]', 'A column may not be named "constructor".'],
    ['[{"id":1.5}]', 'Row 0, column "id": the model takes a whole int64 number, but found 1.5.'],
    [
      '[{"id":9223372036854775808}]',
      'Row 0, column "id": the model takes a whole int64 number, but found 9223372036854775808.',
    ],
    ['[{"small":[1,256]}]', 'Row 0, column "small", value 1: the model takes a whole uint8 number, but found 256.'],
    ['[{"small":[1,-1]}]', 'Row 0, column "small", value 1: the model takes a whole uint8 number, but found -1.'],
    ['[{"flag":1}]', 'Row 0, column "flag": the model takes true or false, but found 1.'],
    ['[{"word":1}]', 'Row 0, column "word": the model takes a string, but found 1.'],
    [`[${'['.repeat(200)}`, 'The body is nested more than 32 levels deep.'],
    ['\ufeff[{"tensor":[1,2,3]}]', 'The body begins with a byte order mark; send JSON as plain UTF-8.'],
  ])('refuses %s', (body, sentence) => {
    expect(refusal(() => read(body))).toBe(`invalid_input: ${sentence}`);
  });

  it.each([
    '[{"tensor":[1,2,NaN]}]',
    '[{"tensor":[1,2,Infinity]}]',
    '[{"tensor":[1,2,3]}]]',
    '[{"tensor":[1,2,',
    '{"a"',
  ])('refuses %s as no JSON', (body) => {
    expect(refusal(() => read(body))).toMatch(/^invalid_input: The body is not valid JSON: /);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(refusal(() => read(Buffer.from([0x5b, 0xff, 0x5d])))).toContain('is not UTF-8');
  });

  it('refuses brackets without end quickly', () => {
    const startedAt = performance.now();
    expect(refusal(() => read('['.repeat(10_000_000)))).toContain('nested more than 32 levels');
    expect(refusal(() => read(`[{"tensor":[${'9'.repeat(10_000_000)},2,3]}]`))).toContain('beyond its range');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('counts no more memory than was sent', () => {
    const wide = `{"open":[${'1,'.repeat(1000)}1]}`;
    const open: InputHints = new Map([['open', { type: 'float32', rowShape: [null] }]]);
    const body = Buffer.from(`[${wide}${',{"open":[]}'.repeat(10)}]`);
    expect(refusal(() => readJsonRecords(body, { hints: open, maxRows: 100 }))).toContain('Row 1, column "open"');
  });

  it('keeps whole numbers beyond 2^53', () => {
    const { columns } = read('[{"id":9223372036854775807},{"id":-9007199254740993},{"id":3.0},{"id":0}]');
    expect([...(columns[0]!.values as BigInt64Array)]).toEqual([9223372036854775807n, -9007199254740993n, 3n, 0n]);
  });

  it('takes images as nested or as flat lists, and single values with or without a list', () => {
    expect(
      read('[{"image":[[1,2],[3,4]],"flag":[true],"small":[[1,2]]}]').columns.map(({ rowShape }) => rowShape),
    ).toEqual([[2, 2], [1], [1, 2]]);
    expect(read('[{"image":[1,2,3,4],"flag":true}]').columns.map(({ rowShape }) => rowShape)).toEqual([[4], []]);
  });

  it('reads columns that no model takes by what they hold', () => {
    const row = '"a":"x","b":1,"c":1.5,"d":true,"e":["p","q"],"f":{"g":[1]},"h":null,"i":12345678901234567890';
    const { columns } = read(`[{${row},"j":[1]},{${row},"j":[2,3]}]`);
    expect(columns.map(({ name, type, rowShape }) => [name, type, rowShape])).toEqual([
      ['a', 'utf8', []],
      ['b', 'int64', []],
      ['c', 'float64', []],
      ['d', 'bool', []],
      ['e', 'utf8', [2]],
      ['f', 'utf8', []],
      ['h', 'utf8', []],
      ['i', 'float64', []],
      ['j', 'int64', [-1]],
    ]);
    expect(columns[5]!.values).toEqual(['{"g":[1]}', '{"g":[1]}']);
    expect([...columns[8]!.offsets!]).toEqual([0, 1, 3]);
  });

  it('tells where each cell stands, whatever the order of its row', () => {
    const body = '[ {"tensor" : [1, 2,3] , "s": "a]\\"}," } , {"s":{"x":"}"},"tensor":[4,5,6]}]';
    const { text, columns } = read(body);
    const cells = Array.from({ length: 4 }, (_, cell) =>
      body.slice(text!.bounds[2 * cell], text!.bounds[2 * cell + 1]),
    );
    expect(columns.map((column) => column.name)).toEqual(['tensor', 's']);
    expect(cells).toEqual(['[1, 2,3]', '"a]\\"},"', '[4,5,6]', '{"x":"}"}']);
  });
});

describe('the classic form', () => {
  it.each<[string, string]>([
    ['{}', 'The body is an empty object; it has no inputs.'],
    ['7', 'The body must be an object with a list of rows for each input.'],
    ['{"tensor":[]}', 'The request has no rows.'],
    ['{"tensor":5}', 'The request has no rows.'],
    ['{"tensor":[[1,2,3]],"id":[1,2]}', 'Column "id" must be a list of 1 rows, as many as column "tensor" has.'],
    ['{"tensor":[[1,2,3],[1,2]]}', 'Row 1, column "tensor": the model takes 3 values, but the cell has 2 values.'],
    [
      '{"tensor":[[1,2,3]],"tensor":[[1,2,3]]}',
      'Row 0 has the column "tensor" twice; all rows must have the same columns, each once.',
    ],
  ])('refuses %s', (body, sentence) => {
    expect(refusal(() => readClassic(Buffer.from(body), options))).toBe(`invalid_input: ${sentence}`);
  });

  it('reads a list of rows for each input', () => {
    const { rowCount, columns } = readClassic(Buffer.from('{"tensor":[[1,2,3],[4,5,6]],"id":[7,8]}'), options);
    expect(rowCount).toBe(2);
    expect(columns.map(({ values }) => Array.from(values as Float32Array))).toEqual([
      [1, 2, 3, 4, 5, 6],
      [7n, 8n],
    ]);
  });

  it('refuses more rows than are allowed', () => {
    expect(refusal(() => readClassic(Buffer.from('{"id":[1,2,3,4,5]}'), options))).toBe(
      'too_large: The request has 5 rows; at most 4 are taken at once.',
    );
  });
});
