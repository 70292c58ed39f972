import type { ColumnType } from '@pademelon/contracts';
import { DomainError } from '../../domain-error.ts';
import { isJsonObject, type JsonObject } from '../../plain-json.ts';
import {
  arithmetics,
  type BinaryOperator,
  comparisons,
  connectives,
  type PolarsExpression,
  type PolarsLiteral,
  type PolarsSeries,
} from './polars-expression.ts';
import { functionName, type PolarsFunction, polarsFunctions } from './polars-functions.ts';
import { readScalar, readScalarType } from './polars-literals.ts';

const operators: ReadonlySet<string> = new Set([...comparisons, ...connectives, ...arithmetics]);
const maxDepth = 64;

/** Reads the JSON of one polars expression. Throws `unsupported` naming what checks cannot do, without saying where. */
export function parsePolarsExpression(json: unknown): PolarsExpression {
  return parse(json, 0);
}

function parse(json: unknown, depth: number): PolarsExpression {
  if (depth > maxDepth) throw refusal(`nests expressions deeper than ${maxDepth}`);
  const [kind, body] = readVariant(json);
  const inner = (value: unknown): PolarsExpression => requireNoSeries(parse(value, depth + 1), kind);
  switch (kind) {
    case 'Alias':
      return inner(Array.isArray(body) ? body[0] : undefined);
    case 'Column':
      return { kind: 'column', name: readColumnName(body) };
    case 'Literal':
      return readLiteral(body);
    case 'BinaryExpr': {
      const { left, op, right } = asObject(body, kind);
      return { kind: 'binary', operator: readOperator(op), left: inner(left), right: inner(right) };
    }
    case 'Ternary': {
      const { predicate, truthy, falsy } = asObject(body, kind);
      return { kind: 'choice', predicate: inner(predicate), truthy: inner(truthy), falsy: inner(falsy) };
    }
    case 'Cast': {
      const { expr, data_type, strict } = asObject(body, kind);
      return { kind: 'cast', input: inner(expr), type: readCastType(data_type), isStrict: strict !== false };
    }
    case 'Function': {
      const { input, function: called } = asObject(body, kind);
      if (!Array.isArray(input)) throw refusal('holds a Function without a list of inputs');
      return readCall(
        called,
        input.map((value) => parse(value, depth + 1)),
      );
    }
    default:
      throw refusal(`uses ${rowsFunction(kind, body)}, which is not served: a check looks at one row at a time`);
  }
}

/** `{"Column": "x"}` is ["Column", "x"], `"Wildcard"` is ["Wildcard", null]. */
function readVariant(json: unknown): [string, unknown] {
  if (typeof json === 'string') return [json, null];
  const entries = isJsonObject(json) ? Object.entries(json) : [];
  if (entries.length !== 1) throw refusal('holds something that is no polars expression in JSON');
  return entries[0]!;
}

/** `{"Agg": {"Max": …}}` is Agg.Max; what else stands there are expressions of their own, such as Window. */
function rowsFunction(kind: string, body: unknown): string {
  const member = kind === 'Agg' && isJsonObject(body) ? Object.keys(body)[0] : undefined;
  return member === undefined ? kind : `${kind}.${member}`;
}

function readColumnName(name: unknown): string {
  if (typeof name === 'string' && /^(in|out)\../s.test(name)) return name;
  throw refusal(
    `reads the column ${JSON.stringify(name)}; checks read "in.<column of the request>" and "out.<output of the model>"`,
  );
}

function readOperator(operator: unknown): BinaryOperator {
  if (typeof operator === 'string' && operators.has(operator)) return operator as BinaryOperator;
  throw refusal(`uses the operator ${String(operator)}, which is not served`);
}

function readLiteral(body: unknown): PolarsLiteral | PolarsSeries {
  if (body === 'Null') return { kind: 'literal', type: 'null', value: null };
  const [type, value] = readVariant(body);
  if (type === 'Series') return readSeries(asObject(value, type));
  return readScalar(type, value) ?? failLiteral(type, value);
}

function failLiteral(type: string, value: unknown): never {
  if (value === null && type.startsWith('Float')) {
    throw refusal(
      'compares with NaN or infinity, which the JSON of an expression does not carry; use is_nan() or is_infinite()',
    );
  }
  throw refusal(`uses a constant of the type ${type}, which is not served`);
}

function readSeries({ datatype, values }: JsonObject): PolarsSeries {
  const type = readScalarType(datatype);
  if (type === null || !Array.isArray(values)) {
    throw refusal(`uses a list of constants of the type ${typeText(datatype)}, which is not served`);
  }
  const scalars = values.map((value) => {
    if (value === null) return null;
    return (readScalar(String(datatype), value) ?? failLiteral(String(datatype), value)).value;
  });
  return { kind: 'series', type, values: scalars };
}

function readCastType(json: unknown): ColumnType {
  const type = readScalarType(json);
  if (type === null || type === 'utf8') throw refusal(`casts to ${typeText(json)}, which is not served`);
  return type;
}

function readCall(called: unknown, inputs: readonly PolarsExpression[]): PolarsExpression {
  const name = functionName(called);
  const [first] = inputs;
  if (first !== undefined && inputs.length === 1 && isJsonObject(called)) {
    const parametric = readParametric(name, called[name], requireNoSeries(first, name));
    if (parametric !== null) return parametric;
  }
  if (!Object.hasOwn(polarsFunctions, name)) throw refusal(`uses ${name}, which is not served`);
  const [fewest, most] = polarsFunctions[name as PolarsFunction];
  if (inputs.length < fewest || inputs.length > most) throw refusal(`calls ${name} with ${inputs.length} inputs`);
  inputs.forEach((input, index) => {
    if (name !== 'Boolean.IsIn' || index !== 1) requireNoSeries(input, name);
  });
  if (name === 'StringExpr.Contains') requireLiteralPattern(called, inputs[1]!);
  if (name === 'StringExpr.Strip') requireNoCharacters(called);
  return { kind: 'call', name: name as PolarsFunction, inputs };
}

function readParametric(name: string, body: unknown, input: PolarsExpression): PolarsExpression | null {
  if (!isJsonObject(body)) return null;
  const { base, decimals } = body;
  if (name === 'Log' && typeof base === 'number') return { kind: 'log', input, base };
  if (name === 'Round' && Number.isInteger(decimals)) return { kind: 'round', input, decimals: decimals as number };
  if (name === 'Clip') return { kind: 'clip', input, min: readBound(body['min']), max: readBound(body['max']) };
  return null;
}

function readBound(bound: unknown): PolarsLiteral | null {
  if (bound === null) return null;
  const [type, value] = readVariant(bound);
  return readScalar(type, value) ?? failLiteral(type, value);
}

function requireNoSeries(expression: PolarsExpression, place: string): PolarsExpression {
  if (expression.kind !== 'series') return expression;
  throw refusal(`uses a list of constants in ${place}; it may stand in is_in only`);
}

/** Patterns are not run: JavaScript's expressions can be made to take for ever, those of Rust, which polars has, cannot. */
function requireLiteralPattern(called: unknown, pattern: PolarsExpression): void {
  const options = ((called as JsonObject)['StringExpr'] as JsonObject)['Contains'];
  if (isJsonObject(options) && options['literal'] === true) return;
  const isPlain = pattern.kind === 'literal' && /^[^.*+?^${}()|[\]\\]*$/.test(String(pattern.value));
  if (!isPlain) throw refusal('uses str.contains with a pattern, which is not served; use literal=True');
}

function requireNoCharacters(called: unknown): void {
  const characters = ((called as JsonObject)['StringExpr'] as JsonObject)['Strip'];
  if (characters !== null) throw refusal('uses str.strip of chosen characters, which is not served');
}

function asObject(value: unknown, kind: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw refusal(`holds a ${kind} that is not as polars writes it`);
}

function typeText(json: unknown): string {
  return typeof json === 'string' ? json : JSON.stringify(json);
}

function refusal(complaint: string): DomainError {
  return new DomainError('unsupported', complaint);
}
