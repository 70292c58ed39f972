import type { ColumnType, ColumnValues } from '@pademelon/contracts';

/** What a model declares for one of its inputs or outputs. */
export interface TensorSpec {
  readonly name: string;
  readonly type: ColumnType;
  /** Dimensions of one row, without the batch dimension; null where the model leaves one open. */
  readonly rowShape: readonly (number | null)[];
}

/** Values for one input of one run: `dims` begins with the number of rows. */
export interface Feed {
  readonly type: ColumnType;
  readonly dims: readonly number[];
  readonly values: ColumnValues;
}

export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Rows that the model takes at once when it does not leave that open. */
  readonly fixedBatch: number | null;
}

/** Values of a row of this shape; null when a dimension is open. */
export function rowWidth(shape: readonly (number | null)[]): number | null {
  let width = 1;
  for (const dimension of shape) {
    if (dimension === null) return null;
    width *= dimension;
  }
  return width;
}

/** `[3, any, 18]`, for messages. */
export function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((dimension) => dimension ?? 'any').join(', ')}]`;
}
