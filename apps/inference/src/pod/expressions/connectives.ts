import type { Connective } from '@pademelon/domain/expressions';
import { type Operand, type RowValue, requireBoolean, type ScalarOperand, scalar } from './operand.ts';

/**
 * And, or and exclusive or with null as "not known": `false and null` is false, `true or null` is true. Polars 0.18 says
 * null to `null or true`, but true to `true or null`; we say true to both, as its later releases do.
 */
export function compileConnective(operator: Connective, left: Operand, right: Operand): ScalarOperand {
  const { at: leftAt } = requireBoolean(left, symbols[operator]);
  const { at: rightAt } = requireBoolean(right, symbols[operator]);
  switch (operator) {
    case 'And':
      return scalar('bool', (row) => both(leftAt(row), rightAt(row)));
    case 'Or':
      return scalar('bool', (row) => either(leftAt(row), rightAt(row)));
    case 'Xor':
      return scalar('bool', (row) => {
        const leftValue = leftAt(row);
        const rightValue = rightAt(row);
        return leftValue === null || rightValue === null ? null : leftValue !== rightValue;
      });
  }
}

const symbols: Readonly<Record<Connective, string>> = { And: '&', Or: '|', Xor: '^' };

export function both(left: RowValue, right: RowValue): boolean | null {
  if (left === false || right === false) return false;
  return left === null || right === null ? null : true;
}

export function either(left: RowValue, right: RowValue): boolean | null {
  if (left === true || right === true) return true;
  return left === null || right === null ? null : false;
}
