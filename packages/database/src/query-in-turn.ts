import type { PoolClient } from 'pg';

type Query = (...args: unknown[]) => unknown;

/**
 * Makes queries of one connection wait for each other. Prisma asks for several relations at once within a transaction,
 * that is on one connection, and leaves it to pg to put them in order; pg announces that its next major version will
 * not. What is asked with a callback is the pool's own and finds the connection idle.
 */
export function queryInTurn(client: PoolClient): void {
  const ask = client.query.bind(client) as Query;
  let last: Promise<unknown> = Promise.resolve();
  let underWay = 0;
  const settle = (): void => {
    underWay -= 1;
  };
  const queued: Query = (...args) => {
    if (typeof args.at(-1) === 'function' || isSubmittable(args[0])) return ask(...args);
    const answer = underWay === 0 ? (ask(...args) as Promise<unknown>) : last.then(() => ask(...args));
    underWay += 1;
    last = answer.then(settle, settle);
    return answer;
  };
  client.query = queued as typeof client.query;
}

/** A query object that submits itself, such as a cursor: it is the answer, not a promise of one. */
function isSubmittable(query: unknown): boolean {
  return typeof query === 'object' && query !== null && 'submit' in query;
}
