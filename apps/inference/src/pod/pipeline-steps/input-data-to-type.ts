import type { ColumnType } from '@pademelon/contracts';
import { convertValues } from '../convert-values.ts';
import type { StepFactory } from './pipeline-step.ts';

/** Converts all numbers of the flow; texts and truth values stay. */
export const inputDataToType: StepFactory<'InputDataToType'> = ({ dataType }) => {
  const type: ColumnType = columnTypes[dataType];
  return {
    hints: null,
    adaptHints: (next) =>
      new Map(Array.from(next, ([name, hint]) => [name, isNumeric(hint) ? { ...hint, type } : hint])),
    checkNames: [],
    isRowWise: true,
    run(flow) {
      const columns = flow.columns.map((column) => {
        if (column.type === type || !isNumeric(column)) return column;
        const width = column.values.length / flow.rowCount;
        return { ...column, type, values: convertValues(column, type, width) };
      });
      return { ...flow, columns };
    },
  };
};

function isNumeric({ type }: { type: ColumnType }): boolean {
  return type !== 'utf8' && type !== 'bool';
}

const columnTypes = {
  f32: 'float32',
  f64: 'float64',
  i8: 'int8',
  u8: 'uint8',
  i16: 'int16',
  u16: 'uint16',
  i32: 'int32',
  u32: 'uint32',
  i64: 'int64',
  u64: 'uint64',
} as const;
