import { DomainError, isStorableText, requirePlainJson } from '@pademelon/domain';

/** Refuses texts that the database cannot hold, in variables and in the literals of the document. */
export function requireStorableVariables(query: string, variables: unknown): void {
  requirePlainJson('variables', variables ?? null);
  if (/\\u(?:0000|\{0+\})/.test(query) || !isStorableText(query)) {
    throw new DomainError('invalid_input', 'The query holds a character that cannot be stored.');
  }
}
