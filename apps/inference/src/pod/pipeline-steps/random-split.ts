import type { Column } from '@pademelon/contracts';
import { hashFraction } from './hash-fraction.ts';
import { commonHints } from './input-hints.ts';
import { findKeyColumn, keyText } from './key-column.ts';
import { modelRuns } from './model-run.ts';
import type { StepFactory } from './pipeline-step.ts';
import { routeRows } from './route-rows.ts';
import { markSplit } from './split-marks.ts';

/**
 * Sends a whole request to one model, by chance in proportion to the weights. Where the request has the hash key, each
 * row goes by its value instead: a number from 0 to 1 is taken as the chance itself, as the SDK's documentation has it,
 * and anything else is hashed to one.
 */
export const randomSplit: StepFactory<'RandomSplit'> = ({ weights, hashKey }, { registry, random, at }) => {
  const models = modelRuns(
    weights.map(({ model }) => model),
    registry,
  );
  const bounds = upperBounds(weights.map(({ weight }) => weight));
  const choose = (fraction: number): number => bounds.findIndex((bound) => fraction < bound);
  return {
    hints: commonHints(models.map(({ hints }) => hints)),
    checkNames: [],
    run(flow) {
      const key = hashKey === null ? null : findKeyColumn(flow.columns, hashKey, flow.rowCount);
      if (key === null) {
        const chosen = choose(random());
        return markSplit(models[chosen]!.run(flow), models, chosen);
      }
      const routes = Int32Array.from({ length: flow.rowCount }, (_, row) => choose(keyFraction(key, row)));
      return markSplit(routeRows(flow, routes, { models, at }), models, routes);
    },
  };
};

/** Where in 0 to 1 each share ends; the last one that is above 0 ends beyond, so that rounding leaves no gap. */
function upperBounds(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const last = weights.findLastIndex((weight) => weight > 0);
  let sum = 0;
  return weights.map((weight, index) => {
    sum += weight;
    return index === last ? Number.POSITIVE_INFINITY : sum / total;
  });
}

function keyFraction(key: Column, row: number): number {
  const isNumber = key.type !== 'bool' && key.type !== 'utf8';
  const value = Number(key.values[row]);
  return isNumber && value >= 0 && value <= 1 ? value : hashFraction(keyText(key, row));
}
