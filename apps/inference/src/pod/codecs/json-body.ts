import { isUtf8 } from 'node:buffer';
import { DomainError } from '@pademelon/domain/domain-error';

const maxDepth = 32;

/** Whole numbers that a double may not hold, where they stand as values of their own. */
const longInteger = /(?:^|[[:,\s])-?\d{16,20}(?=[\s,\]}]|$)/;

/**
 * Parses a request body as JSON. Whole numbers beyond 2^53 come as bigint, so that int64 inputs lose nothing. Refuses
 * what is not UTF-8, has a byte order mark, or is nested beyond any tensor.
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) throw new DomainError('invalid_input', 'The body is empty; send rows as JSON.');
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    throw new DomainError('invalid_input', 'The body begins with a byte order mark; send JSON as plain UTF-8.');
  }
  if (!isUtf8(body)) throw new DomainError('invalid_input', 'The body is not UTF-8; send JSON as UTF-8.');
  refuseDepth(body);
  const text = body.toString();
  try {
    return longInteger.test(text) ? JSON.parse(text, keepLongInteger) : JSON.parse(text);
  } catch (error) {
    throw new DomainError('invalid_input', `The body is not valid JSON: ${(error as Error).message}.`);
  }
}

function keepLongInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d{16,20}$/.test(source) ? BigInt(source) : value;
}

function refuseDepth(body: Buffer): void {
  let depth = 0;
  for (let at = 0; at < body.length; at += 1) {
    const code = body[at];
    if (code === 34) {
      at = endOfString(body, at) - 1;
    } else if (code === 91 || code === 123) {
      depth += 1;
      if (depth > maxDepth) {
        throw new DomainError('invalid_input', `The body is nested more than ${maxDepth} levels deep.`);
      }
    } else if (code === 93 || code === 125) {
      depth -= 1;
    }
  }
}

/** The position behind the string whose opening quote is at `at`; the body's end when it is not closed. */
export function endOfString(body: Buffer, at: number): number {
  let end = at + 1;
  while (end < body.length && body[end] !== 34) end += body[end] === 92 ? 2 : 1;
  return Math.min(end + 1, body.length);
}
