import { DomainError } from '@pademelon/domain/domain-error';
import { commonHints } from './input-hints.ts';
import { modelRuns } from './model-run.ts';
import type { StepFactory } from './pipeline-step.ts';
import { routeRows } from './route-rows.ts';

/**
 * Sends each row to the model of its place: in the request, or, after ColumnsToRows, among the rows that one request row
 * was taken apart into.
 */
export const rowsToModels: StepFactory<'RowsToModels'> = ({ routes }, { registry, at }) => {
  const models = modelRuns(
    routes.map(({ model }) => model),
    registry,
  );
  const indices = new Map(routes.map(({ rowIndex }, index) => [rowIndex, index]));
  return {
    hints: commonHints(models.map(({ hints }) => hints)),
    checkNames: [],
    run(flow) {
      const places = flow.partsPerRow ?? flow.rowCount;
      const chosen = Int32Array.from({ length: flow.rowCount }, (_, row) => {
        const index = indices.get(row % places);
        if (index !== undefined) return index;
        throw new DomainError('invalid_input', `${at} has no model for row ${row % places} of the ${places} sent.`);
      });
      return routeRows(flow, chosen, { models, at });
    },
  };
};
