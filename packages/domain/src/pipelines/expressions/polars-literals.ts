import type { ColumnType } from '@pademelon/contracts';
import type { PolarsLiteral, ScalarValue } from './polars-expression.ts';

const types: ReadonlyMap<unknown, ColumnType> = new Map<unknown, ColumnType>([
  ['Boolean', 'bool'],
  ['Int8', 'int8'],
  ['Int16', 'int16'],
  ['Int32', 'int32'],
  ['Int64', 'int64'],
  ['UInt8', 'uint8'],
  ['UInt16', 'uint16'],
  ['UInt32', 'uint32'],
  ['UInt64', 'uint64'],
  ['Float32', 'float32'],
  ['Float64', 'float64'],
  ['Utf8', 'utf8'],
]);

/** Our name of a polars type that is neither nested nor a time; null for the others. */
export function readScalarType(json: unknown): ColumnType | null {
  return types.get(json) ?? null;
}

/** `{"Int32": 5}` as type and value, null when it is no constant of that type. */
export function readScalar(typeName: string, value: unknown): PolarsLiteral | null {
  const type = readScalarType(typeName);
  if (type === null) return null;
  const scalar = readValue(type, value);
  return scalar === null ? null : { kind: 'literal', type, value: scalar };
}

function readValue(type: ColumnType, value: unknown): ScalarValue | null {
  switch (type) {
    case 'bool':
      return typeof value === 'boolean' ? value : null;
    case 'utf8':
      return typeof value === 'string' ? value : null;
    case 'float32':
      return typeof value === 'number' ? Math.fround(value) : null;
    case 'float64':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
    case 'int64':
    case 'uint64':
      return isWhole(value) ? BigInt(value) : null;
    default:
      return isWhole(value) ? Number(value) : null;
  }
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value);
}

/** JSON.parse that keeps whole numbers beyond 2 ** 53 exact, as bigints. Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, keepExact as (key: string, value: unknown) => unknown);
}

/** Node hands the number's own text to a reviver, which TypeScript's library does not know yet. */
function keepExact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(context?.source ?? '') ? BigInt(context!.source!) : value;
}
