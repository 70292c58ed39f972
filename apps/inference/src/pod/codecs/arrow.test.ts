import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import {
  Bool,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  makeVector,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  tableFromIPC,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerData } from '../answer-fields.ts';
import { readDataset } from '../dataset.ts';
import type { InputHint, InputHints } from '../input-batch.ts';
import { readArrow } from './arrow-read.ts';
import { ByteWriter } from './byte-writer.ts';
import { createArrowEncoder } from './create-arrow-encoder.ts';

const hints: InputHints = new Map<string, InputHint>([['tensor', { type: 'float32', rowShape: [2] }]]);
const options = { hints, maxRows: 1_000, maxDecompressedBytes: 1_000_000 };
const read = (body: Uint8Array, maxRows = 1_000) => readArrow(Buffer.from(body), { ...options, maxRows });

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
  return 'accepted';
}

function file(columns: Record<string, Vector>, writer = (table: Table) => tableToIPC(table, 'file')): Buffer {
  return Buffer.from(writer(new Table(columns)));
}

/** Made by pyarrow 26.0.1; `rows` and `zeros` by write_feather, `types` as two record batches. */
function fixture(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'fixtures', `${name}.arrow`));
}

const fixedList = (rows: number[][], type = new Float32()) =>
  vectorFromArray(rows, new FixedSizeList(rows[0]!.length, new Field('item', type)));
const list = (rows: unknown[][], type: Float32 | Utf8 | Int64 = new Float32()) =>
  vectorFromArray(rows, new List(new Field('item', type as Float32)));
const shown = ({ name, type, rowShape, values, offsets }: Column) => [
  name,
  type,
  rowShape,
  Array.from(values as Float32Array),
  ...(offsets ? [[...offsets]] : []),
];

describe('reading Arrow files', () => {
  it('reads columns of every supported type', () => {
    const { rowCount, columns } = read(
      file({
        tensor: fixedList([
          [1, 2],
          [3, 4],
        ]),
        double: vectorFromArray([0.5, 1.5], new Float64()),
        whole: vectorFromArray([1n, -2n], new Int64()),
        flag: vectorFromArray([true, false], new Bool()),
        word: vectorFromArray(['a', 'ü'], new Utf8()),
        known: vectorFromArray(['x', 'x'], new Dictionary(new Utf8(), new Int32())),
        ragged: list([[1], [2, 3]]),
        even: list([
          [1, 2],
          [3, 4],
        ]),
      }),
    );
    expect(rowCount).toBe(2);
    expect(columns.map(shown)).toEqual([
      ['tensor', 'float32', [2], [1, 2, 3, 4]],
      ['double', 'float64', [], [0.5, 1.5]],
      ['whole', 'int64', [], [1n, -2n]],
      ['flag', 'bool', [], [1, 0]],
      ['word', 'utf8', [], ['a', 'ü']],
      ['known', 'utf8', [], ['x', 'x']],
      ['ragged', 'float32', [-1], [1, 2, 3], [0, 1, 3]],
      ['even', 'float32', [2], [1, 2, 3, 4]],
    ]);
  });

  it('does not copy the numbers of one batch', () => {
    const aligned = new Uint8Array(file({ tensor: fixedList([[1, 2]]) }));
    const body = Buffer.from(aligned.buffer, aligned.byteOffset, aligned.length);
    const { columns } = readArrow(body, options);
    expect((columns[0]!.values as Float32Array).buffer).toBe(body.buffer);
  });

  it('joins several batches', () => {
    const whole = new Table({ tensor: fixedList([[1, 2]]), ragged: list([[1]]) });
    const more = new Table(whole.schema, new Table({ tensor: fixedList([[3, 4]]), ragged: list([[2, 3]]) }).batches);
    const body = tableToIPC(new Table(whole.schema, [...whole.batches, ...more.batches]), 'file');
    expect(read(body).columns.map(shown)).toEqual([
      ['tensor', 'float32', [2], [1, 2, 3, 4]],
      ['ragged', 'float32', [-1], [1, 2, 3], [0, 1, 3]],
    ]);
  });

  it.each(['lz4', 'zstd'])(
    'reads files that pyarrow compressed with %s, and refuses what inflates beyond the limit',
    (codec) => {
      const { rowCount, columns } = read(fixture(`rows-${codec}`));
      expect(rowCount).toBe(500);
      expect([...(columns[0]!.values as Float32Array)]).toEqual(Array.from({ length: 1000 }, (_, at) => at % 251));
      expect(columns[1]!.values).toEqual(Array.from({ length: 500 }, (_, row) => `word ${row % 7}`));
      expect(refusal(() => read(fixture(`zeros-${codec}`), 1_000_000))).toBe(
        'The Arrow IPC file cannot be read: its compressed data holds more than one request may send.',
      );
    },
  );

  it('reads the types that pyarrow makes of data frames, in several batches', () => {
    expect(read(fixture('types')).columns.map(shown)).toEqual([
      ['tensor', 'float64', [2], [1, 2, 3, 4]],
      ['large', 'utf8', [], ['a', 'ü']],
      ['half', 'float32', [], [0.5, 1.5]],
      ['known', 'utf8', [], ['x', 'y']],
      ['flag', 'bool', [], [1, 0]],
      ['biglist', 'int64', [-1], [1n, 2n, 3n], [0, 1, 3]],
      ['nested', 'int8', [2, 2], [1, 2, 3, 4, 5, 6, 7, 8]],
    ]);
    expect(refusal(() => read(fixture('list-view')))).toBe(
      'Column "t" has the type ListView; send numbers, booleans, strings or lists of them.',
    );
  });

  it('reads bytes wherever they begin in memory', () => {
    const body = file({ tensor: fixedList([[1, 2]]), double: vectorFromArray([0.5], new Float64()) });
    for (let shift = 0; shift < 8; shift += 1) {
      const shifted = Buffer.concat([Buffer.alloc(shift), body]).subarray(shift);
      expect(read(shifted).columns.map(({ values }) => Array.from(values as Float32Array))).toEqual([[1, 2], [0.5]]);
    }
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    ['an empty body', () => Buffer.alloc(0), /^The body is empty; send an Arrow IPC file\.$/],
    ['JSON', () => Buffer.from('[{"tensor":[1,2]}]'), /not a complete Arrow IPC file/],
    [
      'an Arrow stream',
      () => tableToIPC(new Table({ tensor: fixedList([[1, 2]]) }), 'stream'),
      /not a complete Arrow IPC file/,
    ],
    ['nothing but magic', () => Buffer.from('ARROW1\0\0\0\0\0\0ARROW1'), /cannot be read|has no rows/],
    [
      'no rows',
      () => tableToIPC(new Table({ tensor: makeVector(new Float32Array(0)) }), 'file'),
      /^The request has no rows\.$/,
    ],
    [
      'a null',
      () => file({ tensor: vectorFromArray([[1, 2], null], new FixedSizeList(2, new Field('item', new Float32()))) }),
      /^Row 1, column "tensor": the value is null/,
    ],
    [
      'a null in a list',
      () =>
        file({
          tensor: vectorFromArray(
            [
              [1, 2],
              [3, null],
            ],
            new FixedSizeList(2, new Field('item', new Float32())),
          ),
        }),
      /^Row 1, column "tensor": the value is null/,
    ],
    [
      'NaN',
      () =>
        file({
          tensor: fixedList([
            [1, 2],
            [3, Number.NaN],
          ]),
        }),
      /^Row 1, column "tensor", value 1: NaN is not a finite number\.$/,
    ],
    [
      'infinity',
      () => file({ tensor: fixedList([[Number.POSITIVE_INFINITY, 2]]) }),
      /^Row 0, column "tensor", value 0: Infinity is not/,
    ],
    [
      'a time stamp',
      () => file({ at: vectorFromArray([new Date(0)], new TimestampMillisecond()) }),
      /^Column "at" has the type Timestamp; send numbers/,
    ],
    [
      'a struct',
      () => file({ s: vectorFromArray([{ a: 1 }], new Struct([new Field('a', new Int32())])) }),
      /^Column "s" has the type Struct/,
    ],
    [
      'a forbidden name',
      () => file({ ['__proto__x'.slice(0, 9)]: vectorFromArray([1]), a: vectorFromArray([1]) }),
      /^(A column may not be named|The Arrow)/,
    ],
  ])('refuses %s', (_what, body, sentence) => {
    expect(refusal(() => read(body()))).toMatch(sentence);
  });

  it('refuses two columns of one name', () => {
    const fields = [new Field('a', new Int32()), new Field('a', new Int32())];
    const one = vectorFromArray([1], new Int32()).data[0]!;
    const data = makeData({ type: new Struct(fields), length: 1, nullCount: 0, children: [one, one] });
    const schema = new Schema(fields);
    const body = tableToIPC(new Table(schema, data as never), 'file');
    expect(refusal(() => read(body))).toBe('The column "a" is there twice.');
  });

  it.each([
    ['descend', Int32Array.of(0, 2, 1)],
    ['begin below zero', Int32Array.of(-1, 0, 1)],
  ])('refuses strings and lists whose offsets %s', (_what, valueOffsets) => {
    const text = makeData({ type: new Utf8(), length: 2, nullCount: 0, valueOffsets, data: Buffer.from('abc') });
    const child = makeVector(Float32Array.of(1, 2, 3)).data[0]!;
    const type = new List(new Field('item', new Float32()));
    const lists = makeData({ type, length: 2, nullCount: 0, valueOffsets, child });
    for (const data of [text, lists]) {
      expect(refusal(() => read(file({ a: makeVector(data as never) })))).toMatch(
        /^Column "a" (has offsets that are out of order|is cut short)\.$/,
      );
    }
  });

  it('refuses more rows than are allowed', () => {
    expect(refusal(() => read(file({ a: makeVector(new Int32Array(11)) }), 10))).toContain('at most 10');
  });

  it('refuses or reads any damaged file, and never fails otherwise', () => {
    const body = file({
      tensor: fixedList([
        [1, 2],
        [3, 4],
      ]),
      word: vectorFromArray(['a', 'bc'], new Utf8()),
      known: vectorFromArray(['x', 'y'], new Dictionary(new Utf8(), new Int32())),
      ragged: list([[1], [2, 3]]),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (damages) => {
          const damaged = Buffer.from(body);
          for (const [at, value] of damages) damaged[at] = value;
          refusal(() => read(damaged));
        },
      ),
      { numRuns: 3_000 },
    );
    for (let length = 0; length < body.length; length += 1) {
      expect(refusal(() => read(body.subarray(0, length)))).not.toBe('accepted');
    }
  });
});

describe('writing Arrow files', () => {
  const metadata = { last_model: '{}', pipeline_version: 'v', elapsed: [1, 2], dropped: [], partition: 'pod' } as const;
  const column = (name: string, values: number[][]): Column => ({
    name,
    type: 'float32',
    rowShape: [values[0]!.length],
    values: Float32Array.from(values.flat()),
  });
  const answer = (timeMs: number, rows: number[][], out: number[][]): AnswerData => ({
    timeMs,
    batch: { rowCount: rows.length, columns: [column('tensor', rows)] },
    outputs: [column('y', out)],
    sides: [],
    checks: [],
    metadata,
  });
  const planOf = (query: string, generation: '2023' | '2026' = '2026') => ({
    dataset: readDataset(new URLSearchParams(query)),
    generation,
  });
  const encoder = createArrowEncoder();
  const write = (data: AnswerData, plan: ReturnType<typeof planOf>): Table => {
    const writer = new ByteWriter();
    writer.begin(512);
    encoder.write(writer, data, plan);
    return tableFromIPC(writer.take());
  };
  const rowsOf = (table: Table) =>
    JSON.parse(JSON.stringify(table.toArray(), (_k, v) => (typeof v === 'bigint' ? Number(v) : v)));

  it('writes flat names, lists of any length and a count of failures, again and again', () => {
    const plan = planOf('dataset[]=*&dataset.separator=.');
    for (const time of [1_700_000_000_001, 1_700_000_000_002]) {
      const table = write(
        answer(
          time,
          [
            [1, time % 10],
            [3, 4],
          ],
          [[5], [time % 7]],
        ),
        plan,
      );
      expect(table.schema.fields.map(({ name, type }) => `${name}: ${type}`)).toEqual([
        'time: Int64',
        'in.tensor: List<Float32>',
        'out.y: List<Float32>',
        'anomaly.count: Uint32',
      ]);
      expect(rowsOf(table)).toEqual([
        { time, 'in.tensor': [1, time % 10], 'out.y': [5], 'anomaly.count': 0 },
        { time, 'in.tensor': [3, 4], 'out.y': [time % 7], 'anomaly.count': 0 },
      ]);
    }
  });

  it('keeps answers of different shapes apart', () => {
    const plan = planOf('dataset.separator=.');
    expect(rowsOf(write(answer(1, [[1, 2]], [[3]]), plan))[0]['in.tensor']).toEqual([1, 2]);
    expect(rowsOf(write(answer(2, [[1, 2, 3]], [[4]]), plan))[0]['in.tensor']).toEqual([1, 2, 3]);
    expect(
      write(
        answer(
          3,
          [
            [1, 2],
            [5, 6],
          ],
          [[4], [7]],
        ),
        plan,
      ).numRows,
    ).toBe(2);
  });

  it('gives the 2023 generation its lists of failures, without nulls', () => {
    const table = write(answer(1, [[1, 2]], [[3]]), planOf('dataset[]=out&dataset.separator=.', '2023'));
    expect(table.schema.fields.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'time: Int64',
      'out.y: List<Float32>',
      'check_failures: List<Utf8>',
    ]);
    expect(table.getChild('check_failures')!.nullCount).toBe(0);
    expect(rowsOf(table)).toEqual([{ time: 1, 'out.y': [3], check_failures: [] }]);
  });

  it('nests groups as structs without a separator, metadata included', () => {
    const table = write(answer(1, [[1, 2]], [[3]]), planOf(''));
    expect(rowsOf(table)).toEqual([
      {
        time: 1,
        in: { tensor: [1, 2] },
        out: { y: [3] },
        anomaly: { count: 0 },
        metadata: { ...metadata, elapsed: [1, 2] },
      },
    ]);
  });

  it('writes strings, booleans, images and lists of differing lengths', () => {
    const data: AnswerData = {
      ...answer(
        1,
        [
          [1, 2],
          [3, 4],
        ],
        [[5], [6]],
      ),
      outputs: [
        { name: 'word', type: 'utf8', rowShape: [], values: ['a', 'ü"'] },
        { name: 'flag', type: 'bool', rowShape: [1], values: Uint8Array.of(1, 0) },
        { name: 'image', type: 'uint8', rowShape: [2, 1], values: Uint8Array.of(1, 2, 3, 4) },
        {
          name: 'ragged',
          type: 'int64',
          rowShape: [-1],
          values: BigInt64Array.of(1n, 2n, 3n),
          offsets: Int32Array.of(0, 2, 3),
        },
      ],
      checks: [{ name: 'too low', failures: Uint8Array.of(0, 1) }],
    };
    const rows = rowsOf(write(data, planOf('dataset[]=out&dataset[]=anomaly&dataset.separator=_')));
    expect(rows).toEqual([
      {
        out_word: 'a',
        out_flag: [true],
        out_image: [[1], [2]],
        out_ragged: [1, 2],
        anomaly_count: 0,
        'anomaly_too low': false,
      },
      {
        out_word: 'ü"',
        out_flag: [false],
        out_image: [[3], [4]],
        out_ragged: [3],
        anomaly_count: 1,
        'anomaly_too low': true,
      },
    ]);
  });
});
