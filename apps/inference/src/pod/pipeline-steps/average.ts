import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { allocateValues } from '../typed-values.ts';
import { withoutParts } from './join-parts.ts';
import type { StepFactory } from './pipeline-step.ts';

/** The mean of each value over several results, under the names of the first. Throws a DomainError when they do not match. */
export function averageResults(results: readonly (readonly Column[])[], at: string): Column[] {
  return results[0]!.map((first, index) => {
    const columns = results.map((result) => result[index]);
    const mean = allocateMean(first, first.values.length, at);
    for (const column of columns) {
      if (column === undefined || column.values.length !== first.values.length || !isNumeric(column)) {
        throw new DomainError('invalid_input', `${at}: the outputs of the models have no common shape of numbers.`);
      }
      for (let place = 0; place < mean.length; place += 1)
        mean[place]! += Number(column.values[place]) / columns.length;
    }
    return { name: first.name, type: meanType(first), rowShape: first.rowShape, values: rounded(first, mean) };
  });
}

/** The mean over the parts of each row that ColumnsToRows took apart. */
export const averageRows: StepFactory<'AverageRows'> = (_step, { at }) => ({
  hints: null,
  checkNames: [],
  run(flow) {
    const parts = flow.partsPerRow ?? 1;
    const rowCount = flow.rowCount / parts;
    const columns = flow.columns.map((column): Column => {
      const width = column.values.length / flow.rowCount;
      const mean = allocateMean(column, rowCount * width, at);
      for (let place = 0; place < column.values.length; place += 1) {
        const row = Math.floor(place / (parts * width));
        mean[row * width + (place % width)]! += Number(column.values[place]) / parts;
      }
      return { name: column.name, type: meanType(column), rowShape: column.rowShape, values: rounded(column, mean) };
    });
    return { ...withoutParts(flow), rowCount, columns };
  },
});

/** Sums are kept as float64, whatever the type of the values. */
function allocateMean(column: Column, length: number, at: string): Float64Array {
  if (isNumeric(column)) return new Float64Array(length);
  throw new DomainError('invalid_input', `${at}: ${JSON.stringify(column.name)} holds no numbers to average.`);
}

function isNumeric({ type }: Column): boolean {
  return type !== 'utf8' && type !== 'bool';
}

/** Means of whole numbers are seldom whole. */
function meanType({ type }: Column): 'float32' | 'float64' {
  return type === 'float32' ? 'float32' : 'float64';
}

function rounded(column: Column, mean: Float64Array) {
  const values = allocateValues(meanType(column), mean.length) as Float32Array;
  values.set(mean);
  return values;
}
