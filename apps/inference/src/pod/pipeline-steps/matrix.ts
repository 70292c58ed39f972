import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { allocateValues } from '../typed-values.ts';
import type { Flow } from './pipeline-step.ts';

/** The numbers of a flow, `width` a row. */
export interface Matrix extends Pick<Column, 'name' | 'type' | 'values'> {
  readonly width: number;
}

/** Any model with one input takes a column of this name. */
const anyInput = 'tensor';

/**
 * The one list of numbers that each row has, or, where there is no list, the plain numbers of the row in the order of
 * the columns. Texts and truth values are left aside. Throws a DomainError when it is not clear which numbers are meant.
 */
export function readMatrix({ columns, rowCount }: Flow, at: string): Matrix {
  const numeric = columns.filter(({ type }) => type !== 'utf8' && type !== 'bool');
  const [list, ...others] = numeric.filter(({ rowShape }) => rowShape.length > 0);
  if (others.length > 0) {
    const names = [list!, ...others].map(({ name }) => JSON.stringify(name)).join(', ');
    throw new DomainError('invalid_input', `${at} works on one list of numbers a row, but there are ${names}.`);
  }
  if (list?.offsets !== undefined) {
    throw new DomainError('invalid_input', `${at}: the rows of ${JSON.stringify(list.name)} differ in length.`);
  }
  if (list !== undefined) {
    return { name: list.name, type: list.type, values: list.values, width: list.values.length / rowCount };
  }
  if (numeric.length === 0) throw new DomainError('invalid_input', `${at} found no numbers in the request.`);
  return interleave(numeric, rowCount);
}

function interleave(columns: readonly Column[], rowCount: number): Matrix {
  const width = columns.length;
  const type = columns.every((column) => column.type === columns[0]!.type) ? columns[0]!.type : 'float64';
  const values = allocateValues(type, rowCount * width);
  const convert = type === 'float64' ? Number : (value: number | bigint | string) => value;
  columns.forEach((column, index) => {
    for (let row = 0; row < rowCount; row += 1) values[row * width + index] = convert(column.values[row]!) as number;
  });
  return { name: anyInput, type, values, width };
}
