import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AnswerData, type AnswerField, answerFields } from '../answer-fields.ts';
import { readDataset } from '../dataset.ts';
import type { CheckResult } from '../pipeline-steps/pipeline-step.ts';
import { ByteWriter } from './byte-writer.ts';
import { JsonTemplate } from './json-write.ts';

function answer(rowCount: number, checks: readonly CheckResult[]): AnswerData {
  const column = (name: string, values: Float32Array) => ({ name, type: 'float32', rowShape: [1], values }) as const;
  const numbers = Float32Array.from({ length: rowCount }, (_, row) => row * 1.25 - 3);
  return {
    timeMs: 1_700_000_000_000,
    batch: { rowCount, columns: [column('tensor', numbers)] },
    outputs: [
      column(
        'variable',
        numbers.map((value) => value * 2),
      ),
      column('other', numbers),
    ],
    sides: [],
    checks,
    metadata: { last_model: '{"a":1}', pipeline_version: 'v', elapsed: [1, 2], dropped: ['x'], partition: 'pod' },
  };
}

function write(fields: readonly AnswerField[], separator: string | null, data: AnswerData): unknown[] {
  const writer = new ByteWriter();
  writer.begin();
  new JsonTemplate(fields, separator).write(writer, data);
  return JSON.parse(writer.take().toString()) as unknown[];
}

/** The cells of one row as an answer of its own, which is written field by field. */
function rowOf(data: AnswerData, row: number): AnswerData {
  const cut = <T extends { values: Float32Array }>(column: T): T => ({
    ...column,
    values: column.values.slice(row, row + 1),
  });
  return {
    ...data,
    batch: { rowCount: 1, columns: data.batch.columns.map((column) => cut(column as never)) },
    outputs: data.outputs.map((column) => cut(column as never)),
    checks: data.checks.map(({ name, failures }) => ({ name, failures: failures.slice(row, row + 1) })),
  };
}

it('writes many rows as it writes each of them, whatever is asked for', () => {
  const datasets = [
    ['*'],
    ['time'],
    ['out'],
    ['in.tensor'],
    ['check_failures'],
    ['*', 'metadata'],
    ['metadata.elapsed'],
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...datasets),
      fc.constantFrom('2023', '2026' as const),
      fc.constantFrom(null, '.', '--'),
      fc.boolean(),
      fc.integer({ min: 2, max: 30 }),
      (names, generation, separator, hasChecks, rowCount) => {
        const failures = Uint8Array.from({ length: rowCount }, (_, row) => row % 2);
        const data = answer(rowCount, hasChecks ? [{ name: 'even "rows"', failures }] : []);
        const dataset = readDataset(new URLSearchParams(names.map((name): [string, string] => ['dataset[]', name])));
        const fields = answerFields(dataset, generation as '2023', data);
        const expected = Array.from({ length: rowCount }, (_, row) => write(fields, separator, rowOf(data, row))[0]);
        expect(write(fields, separator, data)).toEqual(expected);
      },
    ),
  );
});
