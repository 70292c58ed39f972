import { DomainError } from '@pademelon/domain/domain-error';
import { allocateValues } from '../typed-values.ts';
import { anyWidth } from './input-hints.ts';
import { type Matrix, readMatrix } from './matrix.ts';
import type { StepFactory } from './pipeline-step.ts';

/** Keeps the numbers at these places of each row, in this order; of a model with several outputs, these outputs. */
export const columnsSelect: StepFactory<'ColumnsSelect'> = ({ columns: places }, { at }) => ({
  hints: null,
  adaptHints: anyWidth,
  checkNames: [],
  run(flow) {
    if (flow.isChained && flow.columns.length > 1) {
      requirePlaces(places, flow.columns.length, `${at}: the model has`);
      return { ...flow, columns: places.map((place) => flow.columns[place]!) };
    }
    const matrix = readMatrix(flow, at);
    requirePlaces(places, matrix.width, `${at}: ${JSON.stringify(matrix.name)} has`);
    const { name, type } = matrix;
    return { ...flow, columns: [{ name, type, rowShape: [places.length], values: select(matrix, places) }] };
  },
});

function select({ type, values, width }: Matrix, places: readonly number[]) {
  const selected = allocateValues(type, (values.length / width) * places.length);
  let at = 0;
  for (let start = 0; start < values.length; start += width) {
    for (const place of places) {
      selected[at] = values[start + place]!;
      at += 1;
    }
  }
  return selected;
}

function requirePlaces(places: readonly number[], count: number, has: string): void {
  const missing = places.find((place) => place >= count);
  if (missing === undefined) return;
  throw new DomainError('invalid_input', `${has} ${count} columns, so there is no column ${missing}.`);
}
