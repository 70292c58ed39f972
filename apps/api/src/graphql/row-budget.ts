import { DomainError } from '@pademelon/domain';

/** More than any display of the SDKs needs, and still read within a second or so, during which nobody else is answered. */
const maxRows = 25_000;

/**
 * What one request may read: lists inside of lists multiply, which no look at the document alone can tell. Spent as
 * lists are resolved; the request fails when it is used up.
 */
export class RowBudget {
  #left = maxRows;

  spend(rows: number): void {
    this.#left -= rows;
    if (this.#left < 0)
      throw new DomainError('too_large', `The query reads more than ${maxRows} rows; ask for less at once.`);
  }
}
