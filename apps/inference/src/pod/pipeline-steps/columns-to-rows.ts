import { anyWidth } from './input-hints.ts';
import { readMatrix } from './matrix.ts';
import type { StepFactory } from './pipeline-step.ts';

/**
 * Takes each row apart into one row for each of its numbers. The answer has one row for each row of the request again:
 * Average or the end of the pipeline puts the parts together.
 */
export const columnsToRows: StepFactory<'ColumnsToRows'> = (_step, { at }) => ({
  hints: null,
  adaptHints: anyWidth,
  checkNames: [],
  run(flow) {
    const { name, type, values, width } = readMatrix(flow, at);
    const columns = [{ name, type, rowShape: [1], values }];
    return { ...flow, columns, rowCount: flow.rowCount * width, partsPerRow: width };
  },
});
