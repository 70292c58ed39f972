import type { Comparison } from '@pademelon/domain/expressions';
import { type RowValue, type ScalarOperand, scalar } from './operand.ts';
import { commonType, convertOperand } from './value-types.ts';

type Compare = (left: never, right: never) => boolean;

/** JavaScript compares numbers and bigints, NaN included, and truth values as polars does. */
const plain: Readonly<Record<Comparison, Compare>> = {
  Eq: (left: unknown, right: unknown) => left === right,
  NotEq: (left: unknown, right: unknown) => left !== right,
  Lt: (left: number, right: number) => left < right,
  LtEq: (left: number, right: number) => left <= right,
  Gt: (left: number, right: number) => left > right,
  GtEq: (left: number, right: number) => left >= right,
  EqValidity: (left: unknown, right: unknown) => left === right,
  NotEqValidity: (left: unknown, right: unknown) => left !== right,
};

/** Texts are in the order of their UTF-8 bytes, which is not that of JavaScript's UTF-16. */
const ofTexts: Partial<Record<Comparison, Compare>> = {
  Lt: (left: string, right: string) => compareTexts(left, right) < 0,
  LtEq: (left: string, right: string) => compareTexts(left, right) <= 0,
  Gt: (left: string, right: string) => compareTexts(left, right) > 0,
  GtEq: (left: string, right: string) => compareTexts(left, right) >= 0,
};

/** A comparison with null is null, except by `eq_missing` and `ne_missing`, to which two nulls are equal. */
export function compileComparison(operator: Comparison, left: ScalarOperand, right: ScalarOperand): ScalarOperand {
  const type = commonType(left, right);
  const compare = ((type === 'utf8' ? ofTexts[operator] : undefined) ?? plain[operator]) as (
    left: RowValue,
    right: RowValue,
  ) => boolean;
  const { at: leftAt } = convertOperand(left, type);
  const { at: rightAt } = convertOperand(right, type);
  if (operator === 'EqValidity' || operator === 'NotEqValidity') {
    return scalar('bool', (row) => compare(leftAt(row), rightAt(row)));
  }
  return scalar('bool', (row) => {
    const leftValue = leftAt(row);
    const rightValue = rightAt(row);
    return leftValue === null || rightValue === null ? null : compare(leftValue, rightValue);
  });
}

function compareTexts(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
