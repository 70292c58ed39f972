import { DomainError } from '../domain-error.ts';
import { isJsonObject, isStorableText, type JsonObject, requirePlainJson } from '../plain-json.ts';

/** How to reach a foreign system. Its details are told apart from it, to fewer people. */
export interface Connection {
  readonly id: string;
  /** Unique on the whole platform. */
  readonly name: string;
  /** Free text, such as BIGQUERY. */
  readonly type: string;
  readonly createdById: string;
  readonly createdAt: Date;
  /** The workspaces that it is linked to, of those that the reader is a member of. */
  readonly workspaces: readonly { readonly id: number; readonly name: string }[];
}

/** A connection with its details in clear; null when it has none, or when the reader may not see them. */
export interface OpenConnection extends Connection {
  readonly details: JsonObject | null;
}

export interface ConnectionInput {
  readonly name: string;
  readonly type: string;
  readonly details?: unknown;
}

const maxNameLength = 255;
const maxDetailsLength = 64 * 1024;

/** Throws `invalid_input` or `too_large`; resolves to the details, null when there are none. No message quotes them. */
export function readConnectionInput({ name, type, details = null }: ConnectionInput): JsonObject | null {
  requireLabel('name', name);
  requireLabel('type', type);
  if (details === null) return null;
  if (!isJsonObject(details)) throw new DomainError('invalid_input', 'The details of a connection are a JSON object.');
  requirePlainJson('details of the connection', details);
  if (JSON.stringify(details).length > maxDetailsLength) {
    throw new DomainError('too_large', `The details of a connection have at most ${maxDetailsLength} characters.`);
  }
  return details;
}

function requireLabel(what: string, text: string): void {
  if (text.trim() !== '' && text.length <= maxNameLength && isStorableText(text) && !/\p{Cc}/u.test(text)) return;
  throw new DomainError(
    'invalid_input',
    `The ${what} of a connection has 1 to ${maxNameLength} characters, none of them a control character.`,
  );
}
