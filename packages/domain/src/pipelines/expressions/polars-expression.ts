import type { ColumnType } from '@pademelon/contracts';
import type { PolarsFunction } from './polars-functions.ts';

/** A whole number of 64 bits is a bigint, every other number a number. */
export type ScalarValue = number | bigint | string | boolean;

export const comparisons = ['Eq', 'NotEq', 'Lt', 'LtEq', 'Gt', 'GtEq', 'EqValidity', 'NotEqValidity'] as const;
export const connectives = ['And', 'Or', 'Xor'] as const;
export const arithmetics = ['Plus', 'Minus', 'Multiply', 'TrueDivide', 'FloorDivide', 'Modulus'] as const;
export type Comparison = (typeof comparisons)[number];
export type Connective = (typeof connectives)[number];
export type Arithmetic = (typeof arithmetics)[number];
export type BinaryOperator = Comparison | Connective | Arithmetic;

export interface PolarsLiteral {
  readonly kind: 'literal';
  readonly type: ColumnType | 'null';
  /** null exactly where the type is. */
  readonly value: ScalarValue | null;
}

/** A list of constants, which stands only where `is_in` looks for a value. */
export interface PolarsSeries {
  readonly kind: 'series';
  readonly type: ColumnType;
  readonly values: readonly (ScalarValue | null)[];
}

/**
 * An expression of polars 0.18, as `Expr.meta.write_json()` of the Python package prints it, in the part that checks may
 * use: whatever looks at one row alone. Names of operators and functions are those of that JSON.
 */
export type PolarsExpression =
  /** `in.<request column>` or `out.<output of the model>`. */
  | { readonly kind: 'column'; readonly name: string }
  | PolarsLiteral
  | PolarsSeries
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: PolarsExpression;
      readonly right: PolarsExpression;
    }
  /** when(predicate).then(truthy).otherwise(falsy) */
  | {
      readonly kind: 'choice';
      readonly predicate: PolarsExpression;
      readonly truthy: PolarsExpression;
      readonly falsy: PolarsExpression;
    }
  /** A value that the type cannot hold fails a strict cast and is null in another. */
  | { readonly kind: 'cast'; readonly input: PolarsExpression; readonly type: ColumnType; readonly isStrict: boolean }
  | { readonly kind: 'log'; readonly input: PolarsExpression; readonly base: number }
  | { readonly kind: 'round'; readonly input: PolarsExpression; readonly decimals: number }
  | {
      readonly kind: 'clip';
      readonly input: PolarsExpression;
      readonly min: PolarsLiteral | null;
      readonly max: PolarsLiteral | null;
    }
  | { readonly kind: 'call'; readonly name: PolarsFunction; readonly inputs: readonly PolarsExpression[] };

/** Whether an expression can be told, without knowing its columns, to be no truth value: a number or a text. */
export function isNeverBoolean(expression: PolarsExpression): boolean {
  switch (expression.kind) {
    case 'column':
      return false;
    case 'literal':
      return expression.type !== 'bool' && expression.type !== 'null';
    case 'binary':
      return (arithmetics as readonly string[]).includes(expression.operator);
    case 'choice':
      return isNeverBoolean(expression.truthy) || isNeverBoolean(expression.falsy);
    case 'cast':
      return expression.type !== 'bool';
    case 'call':
      if (expression.name === 'Coalesce' || expression.name === 'FillNull') {
        return expression.inputs.some(isNeverBoolean);
      }
      return !/^(Boolean\.|ListExpr\.(Get|Contains|Any|All|Max|Min)$|StringExpr\.(Contains|StartsWith|EndsWith)$)/.test(
        expression.name,
      );
    default:
      return true;
  }
}
