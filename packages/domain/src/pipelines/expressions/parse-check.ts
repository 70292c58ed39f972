import { DomainError } from '../../domain-error.ts';
import { isJsonObject, type JsonObject } from '../../plain-json.ts';
import { type InstrumentTree, parseInstrumentTree } from './instrument-tree.ts';
import { parsePolarsExpression } from './parse-polars-expression.ts';
import { isNeverBoolean, type PolarsExpression } from './polars-expression.ts';
import { parseExactJson } from './polars-literals.ts';

/** One validation of a pipeline. The generations mean opposite things by a true one, see `ParsedCheck.form`. */
export type ParsedCheck =
  /** From 2024: polars; true is an anomaly. */
  | { readonly form: 'polars'; readonly name: string; readonly expression: PolarsExpression }
  /** 2023: what must hold; false is a failure. */
  | { readonly form: 'instrument'; readonly name: string; readonly tree: InstrumentTree };

const maxTextLength = 100_000;
const maxNameLength = 200;
/** Of JSON, several levels of which are one of an expression; JSON.parse would overflow the stack at some thousands. */
const maxNesting = 512;

/**
 * Reads the text of a Check step's `tree`: what `add_validation` of the 2023 SDK or `add_validations` of the later ones
 * sent; one text of 2023 may hold several checks. Throws `unsupported` with a sentence that names the check and what it
 * cannot do.
 */
export function parseCheck(text: string): ParsedCheck[] {
  const json = readJson(text);
  if (isJsonObject(json) && isJsonObject(json['values'])) return parseInstrument(json, json['values']);
  return [parsePolars(json)];
}

function readJson(text: string): unknown {
  if (text.length > maxTextLength) {
    throw new DomainError('unsupported', `A check is ${text.length} characters long; at most ${maxTextLength} are.`);
  }
  if (nestingOf(text) > maxNesting) {
    throw new DomainError('unsupported', `A check is nested deeper than ${maxNesting} in JSON.`);
  }
  try {
    return parseExactJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DomainError('unsupported', 'A check is not in JSON.', { cause: error });
  }
}

/** How many brackets and braces are open at once, those in texts left out. */
function nestingOf(text: string): number {
  let open = 0;
  let most = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/gs)) {
    if (token === '[' || token === '{') open += 1;
    else if (token === ']' || token === '}') open -= 1;
    most = Math.max(most, open);
  }
  return most;
}

function parsePolars(json: unknown): ParsedCheck {
  const alias = isJsonObject(json) ? json['Alias'] : undefined;
  if (!Array.isArray(alias) || typeof alias[1] !== 'string' || alias[1] === '') {
    throw new DomainError('unsupported', 'A check has no name; give its expression one with alias().');
  }
  const name = requireName(alias[1]);
  if (name === 'count') throw new DomainError('unsupported', 'A check must not be named "count".');
  return naming(name, () => {
    const expression = parsePolarsExpression(alias[0]);
    if (isNeverBoolean(expression)) {
      throw new DomainError('unsupported', 'is a number or a text; write a comparison, which is true or false');
    }
    return { form: 'polars', name, expression };
  });
}

function parseInstrument({ gauges, validations }: JsonObject, values: JsonObject): ParsedCheck[] {
  if (Array.isArray(gauges) && gauges.length > 0) {
    throw new DomainError(
      'unsupported',
      `The alert on ${JSON.stringify(gauges[0])} is not served: alerts count over time, checks look at one row.`,
    );
  }
  const names: unknown[] = Array.isArray(validations) ? validations : [];
  return names.map((name) => {
    if (typeof name !== 'string' || !Object.hasOwn(values, name)) {
      throw new DomainError('unsupported', `A check names the value ${JSON.stringify(name)}, which it does not hold.`);
    }
    const value = values[name];
    const root = isJsonObject(value) ? value['root'] : undefined;
    return naming(requireName(name), () => ({ form: 'instrument', name, tree: parseInstrumentTree(root) }));
  });
}

function requireName(name: string): string {
  if (name.length <= maxNameLength) return name;
  throw new DomainError('unsupported', `The name of a check is longer than ${maxNameLength} characters.`);
}

/** Puts the check's name before what is said of its expression. */
function naming(name: string, parse: () => ParsedCheck): ParsedCheck {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new DomainError('unsupported', `The check ${JSON.stringify(name)} ${error.message}.`);
  }
}
