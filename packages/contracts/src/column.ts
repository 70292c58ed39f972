/** Element types of tensors and log columns. `utf8` columns hold strings, `bool` one byte a value. */
export type ColumnType =
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'utf8';

/** The arrays that hold the values of each type but utf8; a bool is a byte. */
export const numberArrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

export type ColumnValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | readonly string[];

/**
 * One named column of a batch of rows, row-major and without nulls: the form in which tensors travel between codecs,
 * steps, answers and the inference log.
 *
 * Every row has `rowShape` values: `[]` is a scalar a row, `[18]` a list of 18, `[3, 224]` nested lists. Where
 * `offsets` is present rows are lists of differing lengths instead (row i is values[offsets[i]..offsets[i+1]]) and
 * `rowShape` is `[-1]`.
 */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly rowShape: readonly number[];
  readonly values: ColumnValues;
  readonly offsets?: Int32Array;
}
