import { isUuid } from '@pademelon/domain';
import { GraphQLError, type GraphQLScalarType, type ValueNode, valueFromASTUntyped } from 'graphql';

interface ScalarBehaviour {
  /** The value as a resolver gave it, as it goes into JSON. */
  readonly write: (value: unknown) => unknown;
  /** What came in variables. Throws a GraphQLError. */
  readonly read: (value: unknown) => unknown;
}

/** Whole numbers within what a JavaScript number holds exactly. Ids beyond 32 bits are let through: they name nothing. */
function readInteger(value: unknown): number {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(number)) throw new GraphQLError('A bigint must be a whole number.');
  return number as number;
}

function readNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new GraphQLError('A float8 must be a number.');
  return value;
}

function readUuid(value: unknown): string {
  if (!isUuid(value)) throw new GraphQLError('A uuid must be written as 8-4-4-4-12 hexadecimal digits.');
  return value.toLowerCase();
}

/** ISO 8601; a time without a zone is taken as UTC, whatever the zone of the server. */
function readTime(value: unknown): Date {
  const text = typeof value === 'string' ? value : '';
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes(':');
  const time = new Date(hasZone ? text : `${text}Z`);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime())) {
    throw new GraphQLError('A timestamptz must be an ISO 8601 date or time.');
  }
  return time;
}

const asIs = (value: unknown): unknown => value;

const behaviours: Record<string, ScalarBehaviour> = {
  bigint: { write: readInteger, read: readInteger },
  bpchar: { write: String, read: String },
  float8: { write: asIs, read: readNumber },
  jsonb: { write: asIs, read: asIs },
  timestamptz: { write: (value) => (value as Date).toISOString(), read: readTime },
  uuid: { write: asIs, read: readUuid },
};

/** Gives a scalar of the schema its behaviour; scalars that GraphQL itself defines keep theirs. */
export function behave(scalar: GraphQLScalarType): void {
  const behaviour = behaviours[scalar.name];
  if (behaviour === undefined) return;
  scalar.coerceOutputValue = behaviour.write as never;
  scalar.coerceInputValue = behaviour.read as never;
  scalar.coerceInputLiteral = ((node: ValueNode) => behaviour.read(valueFromASTUntyped(node))) as never;
}
