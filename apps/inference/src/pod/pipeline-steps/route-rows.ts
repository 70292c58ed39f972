import { DomainError } from '@pademelon/domain/domain-error';
import type { ModelRun } from './model-run.ts';
import type { Flow } from './pipeline-step.ts';
import { isSameLayout, mergeRows, pickRows } from './row-columns.ts';

/**
 * Runs each row through the model that `routes` gives it by its index in `models`, and puts the outputs together in the
 * order of the rows. The last model of the flow is that of the last row.
 */
export function routeRows(
  flow: Flow,
  routes: Int32Array,
  { models, at }: { models: readonly ModelRun[]; at: string },
): Flow {
  const rowsByModel = groupRows(routes);
  if (rowsByModel.size === 1) return models[routes[0]!]!.run(flow);
  const parts = Array.from(rowsByModel, ([index, rows]) => {
    const columns = flow.columns.map((column) => pickRows(column, rows, flow.rowCount));
    return { model: models[index]!, rows, outputs: models[index]!.run({ ...flow, columns, rowCount: rows.length }) };
  });
  const [first, ...others] = parts;
  const odd = others.find(({ outputs }) => !isSameLayout(first!.outputs.columns, outputs.columns));
  if (odd !== undefined) {
    const names = [first!, odd].map(({ model }) => JSON.stringify(model.identity.name)).join(' and ');
    throw new DomainError(
      'invalid_input',
      `${at}: rows of this request belong to the models ${names}, whose outputs differ; send them in separate requests.`,
    );
  }
  const columns = first!.outputs.columns.map((_, index) => {
    const pieces = parts.map(({ outputs, rows }) => ({ column: outputs.columns[index]!, rows }));
    return mergeRows(pieces, flow.rowCount);
  });
  return { ...flow, columns, isChained: true, lastModel: models[routes.at(-1)!]!.identity };
}

function groupRows(routes: Int32Array): Map<number, Int32Array> {
  const rows = new Map<number, number[]>();
  routes.forEach((model, row) => {
    const known = rows.get(model);
    if (known === undefined) rows.set(model, [row]);
    else known.push(row);
  });
  return new Map(Array.from(rows, ([model, places]) => [model, Int32Array.from(places)]));
}
