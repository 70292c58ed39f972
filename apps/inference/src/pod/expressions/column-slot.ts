import type { Column } from '@pademelon/contracts';
import type { ScalarValue } from '@pademelon/domain/expressions';
import { type Operand, scalar } from './operand.ts';

/**
 * Where a compiled expression finds a column of the rows that it is run on: the expression is compiled once for a type
 * and depth, and the slot is filled with each request's own values.
 */
export class ColumnSlot {
  readonly #type: Column['type'];
  readonly #depth: number;
  readonly #isRagged: boolean;
  #column: Column;
  #width = 0;

  constructor(column: Column) {
    this.#type = column.type;
    this.#depth = column.rowShape.length;
    this.#isRagged = column.offsets !== undefined;
    this.#column = column;
  }

  /** Columns of equal descriptions can fill the same slot. */
  static describe({ type, rowShape, offsets }: Column): string {
    return offsets === undefined ? `${type}${rowShape.length}` : `${type} ragged`;
  }

  fill(column: Column): void {
    this.#column = column;
    this.#width = this.#product(0);
  }

  get operand(): Operand {
    const valueAt = this.#reader();
    if (this.#depth === 0) return scalar(this.#type, valueAt);
    return {
      kind: 'list',
      type: this.#type,
      depth: this.#depth,
      start: this.#isRagged ? (row) => this.#column.offsets![row]! : (row) => row * this.#width,
      length: this.#isRagged
        ? (row) => this.#column.offsets![row + 1]! - this.#column.offsets![row]!
        : () => this.#column.rowShape[0]!,
      stride: this.#depth === 1 ? () => 1 : () => this.#product(1),
      innerLength: (below) => this.#column.rowShape[below]!,
      valueAt,
    };
  }

  #reader(): (place: number) => ScalarValue {
    if (this.#type === 'bool') return (place) => this.#column.values[place] === 1;
    return (place) => this.#column.values[place]!;
  }

  /** Values in an element of the dimension `from`; the row itself is the element of dimension 0. */
  #product(from: number): number {
    let product = 1;
    for (let axis = from; axis < this.#column.rowShape.length; axis += 1) product *= this.#column.rowShape[axis]!;
    return product;
  }
}
