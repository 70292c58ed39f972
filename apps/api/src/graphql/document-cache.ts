import { DomainError } from '@pademelon/domain';
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  parse,
  recommendedRules,
  specifiedRules,
  validate,
} from 'graphql';
import { excessOf } from './document-limits.ts';

/** The SDKs send some forty documents, always with the same text. */
const capacity = 500;
const maxTokens = 4_000;
const maxErrors = 10;
/** What deep recursion in parser and validation could trip over is cut off before they see it. */
const maxNesting = 40;

/** Parsed and valid documents by their text, the least recently used forgotten first. */
export class DocumentCache {
  readonly #schema: GraphQLSchema;
  readonly #documents = new Map<string, DocumentNode>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /** Throws `invalid_input` for a text that is not GraphQL, does not fit the schema or asks for too much. */
  read(text: string): DocumentNode {
    const known = this.#documents.get(text);
    const document = known ?? check(this.#schema, text);
    this.#documents.delete(text);
    this.#documents.set(text, document);
    if (this.#documents.size > capacity) this.#documents.delete(this.#documents.keys().next().value!);
    return document;
  }
}

function check(schema: GraphQLSchema, text: string): DocumentNode {
  if (nestingOf(text) > maxNesting) {
    throw new DomainError('invalid_input', `The query is nested deeper than ${maxNesting} levels.`);
  }
  const document = parseOrRefuse(text);
  const errors = validate(schema, document, [...specifiedRules, ...recommendedRules], {
    maxErrors,
    hideSuggestions: true,
  });
  if (errors.length > 0) refuse(errors);
  const excess = excessOf(document);
  if (excess !== null) throw new DomainError('invalid_input', excess);
  return document;
}

/** The deepest nesting of brackets, those inside of strings and comments counted too. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '{' || character === '[' || character === '(') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']' || character === ')') depth -= 1;
  }
  return deepest;
}

function parseOrRefuse(text: string): DocumentNode {
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    return refuse([error as GraphQLError]);
  }
}

function refuse(errors: readonly GraphQLError[]): never {
  throw new DomainError('invalid_input', `The query is not valid: ${errors[0]!.message}`, {
    details: errors.map(({ message, locations }) => ({ message, locations })),
  });
}
