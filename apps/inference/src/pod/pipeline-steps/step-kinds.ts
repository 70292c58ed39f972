import type { PlannedStep } from '@pademelon/domain/pipeline-steps';
import { averageRows } from './average.ts';
import { check } from './check.ts';
import { columnsSelect } from './columns-select.ts';
import { columnsToRows } from './columns-to-rows.ts';
import { inputDataToType } from './input-data-to-type.ts';
import { metaValueSplit } from './meta-value-split.ts';
import { modelFanOut } from './model-fan-out.ts';
import { modelInference } from './model-inference.ts';
import type { StepFactory } from './pipeline-step.ts';
import { randomSplit } from './random-split.ts';
import { rowsToModels } from './rows-to-models.ts';

/** Everything that the plan of a pipeline may consist of, by kind. */
export const stepKinds: { readonly [Kind in PlannedStep['kind']]?: StepFactory<Kind> } = {
  AverageRows: averageRows,
  Check: check,
  ColumnsSelect: columnsSelect,
  ColumnsToRows: columnsToRows,
  InputDataToType: inputDataToType,
  MetaValueSplit: metaValueSplit,
  ModelFanOut: modelFanOut,
  ModelInference: modelInference,
  RandomSplit: randomSplit,
  RowsToModels: rowsToModels,
};
