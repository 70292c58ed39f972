import type { DynamicBatching } from '@pademelon/contracts';
import type { LoadedModel } from '../model-registry.ts';

/** How requests of one pipeline are joined into runs. */
export interface BatchingPolicy {
  /** Milliseconds that a request waits for others at most. */
  readonly maxDelayMs: number;
  /** Rows with which a run starts at once. */
  readonly targetRows: number;
  /** Rows that requests are joined to at most. A request that has more runs, by itself. */
  readonly limitRows: number;
}

type Batchable = Pick<LoadedModel, 'dynamicBatching'> & {
  readonly session: { readonly signature: { readonly fixedBatch: number | null } };
};

/**
 * What the configurations of a pipeline's models agree on; null when its requests are not to be joined. Rows pass through
 * the whole pipeline together, so every model must be set up for it, and the least delay and size count. A model with a
 * batch size of its own runs that many rows anyway.
 */
export function batchingPolicy(
  pipeline: { readonly isRowWise: boolean },
  models: Iterable<Batchable>,
): BatchingPolicy | null {
  if (!pipeline.isRowWise) return null;
  const settings: DynamicBatching[] = [];
  for (const { dynamicBatching, session } of models) {
    if (dynamicBatching === null || session.signature.fixedBatch !== null) return null;
    settings.push(dynamicBatching);
  }
  if (settings.length === 0) return null;
  const least = (pick: (each: DynamicBatching) => number): number => Math.min(...settings.map(pick));
  const limitRows = Math.max(
    1,
    least((each) => each.batchSizeLimit ?? Number.POSITIVE_INFINITY),
  );
  const targetRows = Math.max(
    1,
    least((each) => each.batchSizeTarget),
  );
  return { maxDelayMs: least((each) => each.maxBatchDelayMs), targetRows: Math.min(targetRows, limitRows), limitRows };
}
