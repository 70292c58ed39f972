import { DomainError } from './domain-error.ts';

const maxDepth = 32;
const maxTextLength = 1024 * 1024;

export type JsonObject = { readonly [key: string]: unknown };

/**
 * Refuses JSON that PostgreSQL cannot keep (NUL characters, halves of surrogate pairs), that is nested deeper than 32,
 * or that is longer than 1 MiB. `what` names it in the message: "definition". It walks with a list of its own, so that
 * hostile nesting costs memory in proportion and never the call stack.
 */
export function requirePlainJson(what: string, value: unknown): void {
  let textLength = 0;
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.depth > maxDepth) refuse(what, `is nested deeper than ${maxDepth}`);
    if (typeof next.value === 'string') {
      textLength += next.value.length;
      if (!isStorableText(next.value))
        refuse(what, 'holds a character that cannot be stored (NUL or half a surrogate)');
    } else if (typeof next.value === 'object' && next.value !== null) {
      for (const [key, child] of Object.entries(next.value)) {
        open.push({ value: key, depth: next.depth }, { value: child, depth: next.depth + 1 });
      }
    }
    textLength += 2;
    if (textLength > maxTextLength) refuse(what, `is longer than ${maxTextLength} characters`);
  }
}

/** Whether PostgreSQL can keep the text: no NUL and well-formed UTF-16. */
export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(what: string, complaint: string): never {
  throw new DomainError('invalid_input', `The ${what} ${complaint}.`);
}
