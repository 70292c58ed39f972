import { commonHints } from './input-hints.ts';
import { findKeyColumn, keyText } from './key-column.ts';
import { modelRuns } from './model-run.ts';
import type { StepFactory } from './pipeline-step.ts';
import { routeRows } from './route-rows.ts';
import { markSplit } from './split-marks.ts';

/** Sends each row to the model of its value in the key's column; the control takes values without a route, or none. */
export const metaValueSplit: StepFactory<'MetaValueSplit'> = ({ splitKey, control, routes }, { registry, at }) => {
  const models = modelRuns([control, ...routes.values()], registry);
  const indices = new Map(Array.from(routes.keys(), (value, index) => [value, index + 1]));
  return {
    hints: commonHints(models.map(({ hints }) => hints)),
    checkNames: [],
    run(flow) {
      const key = findKeyColumn(flow.columns, splitKey, flow.rowCount);
      if (key === null) return markSplit(models[0]!.run(flow), models, 0);
      const chosen = Int32Array.from({ length: flow.rowCount }, (_, row) => indices.get(keyText(key, row)) ?? 0);
      return markSplit(routeRows(flow, chosen, { models, at }), models, chosen);
    },
  };
};
