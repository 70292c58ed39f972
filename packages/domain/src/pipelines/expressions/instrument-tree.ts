import { DomainError } from '../../domain-error.ts';
import { isJsonObject, type JsonObject } from '../../plain-json.ts';

export const instrumentOperators = ['<', '<=', '==', '>=', '>', '+', '-', 'in'] as const;
export type InstrumentOperator = (typeof instrumentOperators)[number];

/**
 * An expression of the 2023 SDK (`model.outputs[0][0] < 0.95`). Every value is a 64-bit float; the tree as a whole says
 * what must hold.
 */
export type InstrumentTree =
  /** One value of each row: of the model's n-th input or output, n being `key[0]`; the rest of the key leads into it. */
  | {
      readonly kind: 'variable';
      readonly model: string;
      readonly position: 'input' | 'output';
      readonly key: readonly number[];
    }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'numbers'; readonly values: readonly number[] }
  | { readonly kind: 'abs'; readonly input: InstrumentTree }
  | {
      readonly kind: 'binary';
      readonly operator: InstrumentOperator;
      readonly left: InstrumentTree;
      readonly right: InstrumentTree;
    };

const maxDepth = 64;

/** Reads the `root` of a value of a 2023 check. Throws `unsupported` with what it cannot do, without saying where. */
export function parseInstrumentTree(json: unknown): InstrumentTree {
  const tree = parse(json, 0);
  if (tree.kind === 'binary' && !['+', '-'].includes(tree.operator)) return tree;
  throw refusal('is no comparison; write what must hold, such as model.outputs[0][0] < 0.95');
}

function parse(json: unknown, depth: number): InstrumentTree {
  if (depth > maxDepth) throw refusal(`nests expressions deeper than ${maxDepth}`);
  if (!isJsonObject(json)) throw refusal('holds something that is no expression');
  switch (json['node']) {
    case 'variable':
      return parseVariable(json);
    case 'literal':
      return parseLiteral(json);
    case 'fn':
      return parseFunction(json, depth);
    case 'binop':
      return parseBinary(json, depth);
    default:
      throw refusal(`uses the node ${JSON.stringify(json['node'])}, which is not served`);
  }
}

function parseVariable({ variant_id, position, key }: JsonObject): InstrumentTree {
  const name = isJsonObject(variant_id) ? variant_id['name'] : undefined;
  if (typeof name !== 'string') throw refusal('has a variable without the name of its model');
  if (position !== 'input' && position !== 'output') throw refusal('has a variable that is neither input nor output');
  if (!Array.isArray(key) || key.length === 0 || !key.every((index) => Number.isInteger(index) && index >= 0)) {
    throw refusal(`has a variable of ${JSON.stringify(name)} whose indices are not whole numbers from 0`);
  }
  return { kind: 'variable', model: name, position, key };
}

function parseLiteral(json: JsonObject): InstrumentTree {
  const { integer, float, list } = json;
  if (typeof integer === 'number' || typeof integer === 'bigint') return { kind: 'number', value: Number(integer) };
  if (typeof float === 'number') return { kind: 'number', value: float };
  if (!Array.isArray(list)) {
    const type = Object.keys(json).find((key) => key !== 'node') ?? 'nothing';
    throw refusal(`compares with a constant of the type ${type}, which is not served; use numbers`);
  }
  const values = list.map((element) => (isJsonObject(element) ? parseLiteral(element) : null));
  return { kind: 'numbers', values: values.map(requireNumber) };
}

function requireNumber(literal: InstrumentTree | null): number {
  if (literal?.kind === 'number') return literal.value;
  throw refusal('compares with a list that holds something else than numbers');
}

function parseFunction({ fn, arguments: inputs }: JsonObject, depth: number): InstrumentTree {
  if (fn !== 'abs') throw refusal(`uses the function ${String(fn)}, which is not served`);
  if (!Array.isArray(inputs) || inputs.length !== 1) throw refusal('calls abs with other than one argument');
  return { kind: 'abs', input: requireValue(parse(inputs[0], depth + 1)) };
}

function parseBinary({ op, left, right }: JsonObject, depth: number): InstrumentTree {
  if (!(instrumentOperators as readonly unknown[]).includes(op)) {
    throw refusal(`uses the operator ${String(op)}, which is not served`);
  }
  const operator = op as InstrumentOperator;
  const values = parse(right, depth + 1);
  if (operator === 'in') {
    if (values.kind !== 'numbers') throw refusal('uses one_of with other than numbers');
    return { kind: 'binary', operator, left: requireValue(parse(left, depth + 1)), right: values };
  }
  return { kind: 'binary', operator, left: requireValue(parse(left, depth + 1)), right: requireValue(values) };
}

/** Comparisons and lists are no values to calculate with. */
function requireValue(tree: InstrumentTree): InstrumentTree {
  if (tree.kind === 'numbers') throw refusal('uses a list outside one_of');
  if (tree.kind === 'binary' && tree.operator !== '+' && tree.operator !== '-') {
    throw refusal(`calculates with the result of ${tree.operator}, which is true or false`);
  }
  return tree;
}

/** The text that answers show for a failed check: `model.outputs[0][0] < 0.95`. */
export function instrumentText(tree: InstrumentTree): string {
  switch (tree.kind) {
    case 'variable':
      return `${tree.model}.${tree.position}s${tree.key.map((index) => `[${index}]`).join('')}`;
    case 'number':
      return String(tree.value);
    case 'numbers':
      return `[${tree.values.join(', ')}]`;
    case 'abs':
      return `abs(${instrumentText(tree.input)})`;
    case 'binary': {
      const right = instrumentText(tree.right);
      const isGrouped = tree.right.kind === 'binary';
      return `${instrumentText(tree.left)} ${tree.operator} ${isGrouped ? `(${right})` : right}`;
    }
  }
}

function refusal(complaint: string): DomainError {
  return new DomainError('unsupported', complaint);
}
