import type { PolarsFunction } from '@pademelon/domain/expressions';
import { ExpressionMisfit, type RowValue, type ScalarOperand, scalar } from './operand.ts';

const oneText: Readonly<Partial<Record<PolarsFunction, (text: string) => RowValue>>> = {
  'StringExpr.Length': (text) => Buffer.byteLength(text),
  'StringExpr.NChars': (text) => [...text].length,
  'StringExpr.Lowercase': (text) => text.toLowerCase(),
  'StringExpr.Uppercase': (text) => text.toUpperCase(),
  'StringExpr.Strip': (text) => text.trim(),
};

const twoTexts: Readonly<Partial<Record<PolarsFunction, (text: string, part: string) => boolean>>> = {
  'StringExpr.Contains': (text, part) => text.includes(part),
  'StringExpr.StartsWith': (text, part) => text.startsWith(part),
  'StringExpr.EndsWith': (text, part) => text.endsWith(part),
};

/** null when the function is none of texts. */
export function compileTextFunction(name: PolarsFunction, inputs: readonly ScalarOperand[]): ScalarOperand | null {
  const [input, part] = inputs;
  const ofOne = oneText[name];
  if (ofOne !== undefined) {
    const at = requireText(input!, name);
    const isCount = name === 'StringExpr.Length' || name === 'StringExpr.NChars';
    return scalar(isCount ? 'uint32' : 'utf8', (row) => {
      const text = at(row);
      return text === null ? null : ofOne(text);
    });
  }
  const ofTwo = twoTexts[name];
  if (ofTwo === undefined) return null;
  const at = requireText(input!, name);
  const partAt = requireText(part!, name);
  return scalar('bool', (row) => {
    const text = at(row);
    const sought = partAt(row);
    return text === null || sought === null ? null : ofTwo(text, sought);
  });
}

function requireText({ type, at }: ScalarOperand, name: string): (row: number) => string | null {
  if (type === 'utf8' || type === 'null') return at as (row: number) => string | null;
  throw new ExpressionMisfit(`uses ${name} on ${type} values; it takes text`);
}
