import type { Caller } from '@pademelon/domain';
import type { Services } from '../services.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import { RowBudget } from './row-budget.ts';

/** What resolvers get as their third argument, made anew for every request. */
export interface RequestContext {
  readonly caller: Caller;
  readonly services: Services;
  readonly loaders: Loaders;
  readonly budget: RowBudget;
}

export function createContext(services: Services, caller: Caller): RequestContext {
  return { caller, services, loaders: createLoaders(services, caller), budget: new RowBudget() };
}

/**
 * Resolvers by type and field. A field without one is read from the property of its source that has the same name in
 * camelCase: `created_at` from `createdAt`.
 */
export interface Resolvers {
  readonly [type: string]: {
    readonly [field: string]: (source: never, args: never, context: RequestContext) => unknown;
  };
}
