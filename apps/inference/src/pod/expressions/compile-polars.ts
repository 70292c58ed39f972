import type { PolarsExpression } from '@pademelon/domain/expressions';
import {
  type Arithmetic,
  arithmetics,
  type Comparison,
  type Connective,
  comparisons,
} from '@pademelon/domain/expressions';
import { compileArithmetic } from './arithmetic.ts';
import { compileBooleanFunction, compileIsIn } from './boolean-functions.ts';
import { compileCast } from './casts.ts';
import { compileComparison } from './comparisons.ts';
import { compileConnective } from './connectives.ts';
import { compileListFunction } from './list-functions.ts';
import { compileClip, compileLog, compileNumberFunction, compileRound } from './number-functions.ts';
import {
  ExpressionMisfit,
  type Operand,
  requireBoolean,
  requireScalar,
  type ScalarOperand,
  scalar,
} from './operand.ts';
import { compileTextFunction } from './text-functions.ts';
import { commonType, convertOperand, typeOfInputs } from './value-types.ts';

/** Finds the column of a name; throws ExpressionMisfit when there is none. */
export type FindColumn = (name: string) => Operand;

/**
 * Makes closures of an expression: everything about types is decided here, once; a row costs the calls that compute it.
 * What comes out, null and NaN included, is what polars 0.18 gives; where it does not, the operator says why. Throws
 * ExpressionMisfit when the columns are not what the expression takes them for.
 */
export function compilePolars(expression: PolarsExpression, find: FindColumn): Operand {
  const inner = (part: PolarsExpression): Operand => compilePolars(part, find);
  const value = (part: PolarsExpression, what: string): ScalarOperand => requireScalar(inner(part), what);
  switch (expression.kind) {
    case 'column':
      return find(expression.name);
    case 'literal': {
      const { type, value: literal } = expression;
      return { kind: 'scalar', type, literal, at: () => literal };
    }
    case 'series':
      throw new ExpressionMisfit('uses a list of constants outside is_in');
    case 'binary':
      return compileBinary(expression, inner);
    case 'choice':
      return compileChoice(expression, inner);
    case 'cast':
      return compileCast(value(expression.input, 'cast'), expression.type, expression.isStrict);
    case 'log':
      return compileLog(value(expression.input, 'log'), expression.base);
    case 'round':
      return compileRound(value(expression.input, 'round'), expression.decimals);
    case 'clip':
      return compileClip(value(expression.input, 'clip'), expression);
    case 'call':
      return compileCall(expression, inner);
  }
}

type Compile = (part: PolarsExpression) => Operand;

function compileBinary(
  { operator, left, right }: Extract<PolarsExpression, { kind: 'binary' }>,
  inner: Compile,
): ScalarOperand {
  const operands = [inner(left), inner(right)] as const;
  if ((comparisons as readonly string[]).includes(operator)) {
    const [first, second] = operands.map((operand) => requireScalar(operand, 'a comparison'));
    return compileComparison(operator as Comparison, first!, second!);
  }
  if ((arithmetics as readonly string[]).includes(operator)) {
    const [first, second] = operands.map((operand) => requireScalar(operand, operator));
    return compileArithmetic(operator as Arithmetic, first!, second!);
  }
  return compileConnective(operator as Connective, ...operands);
}

/** Where the predicate is null, `otherwise` holds. */
function compileChoice(
  { predicate, truthy, falsy }: Extract<PolarsExpression, { kind: 'choice' }>,
  inner: Compile,
): ScalarOperand {
  const { at: isTrue } = requireBoolean(inner(predicate), 'when()');
  const [then, otherwise] = [truthy, falsy].map((part) => requireScalar(inner(part), 'when().then().otherwise()'));
  const type = commonType(then!, otherwise!);
  const { at: thenAt } = convertOperand(then!, type);
  const { at: otherwiseAt } = convertOperand(otherwise!, type);
  return scalar(type, (row) => (isTrue(row) === true ? thenAt(row) : otherwiseAt(row)));
}

function compileCall({ name, inputs }: Extract<PolarsExpression, { kind: 'call' }>, inner: Compile): Operand {
  const [first, second] = inputs;
  if (name === 'Boolean.IsIn') {
    return compileIsIn(requireScalar(inner(first!), 'is_in'), second!.kind === 'series' ? second : inner(second!));
  }
  const operands = inputs.map(inner);
  const ofLists = compileListFunction(name, operands) ?? compileBooleanFunction(name, operands);
  if (ofLists !== null) return ofLists;
  const values = operands.map((operand) => requireScalar(operand, name));
  if (name === 'Coalesce' || name === 'FillNull') return compileCoalesce(values);
  const compiled = compileNumberFunction(name, values) ?? compileTextFunction(name, values);
  if (compiled !== null) return compiled;
  throw new ExpressionMisfit(`uses ${name}, which is not served`);
}

/** The first value that is not null. */
function compileCoalesce(operands: readonly ScalarOperand[]): ScalarOperand {
  const type = typeOfInputs(operands);
  const values = operands.map((operand) => convertOperand(operand, type).at);
  return scalar(type, (row) => {
    for (const at of values) {
      const value = at(row);
      if (value !== null) return value;
    }
    return null;
  });
}
