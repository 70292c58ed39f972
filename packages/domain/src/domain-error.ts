import type { ErrorWord } from '@pademelon/contracts';

/**
 * An expected failure, told in a sentence that says what was wrong with what, and what to do. The message reaches the
 * caller, so it never holds a secret, a path of the server or text of another system's error.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly word: ErrorWord;
  readonly details: unknown;

  constructor(word: ErrorWord, message: string, options: { details?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.word = word;
    this.details = options.details;
  }
}

/**
 * What does not exist and what the caller may not see are answered alike, so the message must not depend on which it
 * was: `notFound('workspace', 7)` → "There is no workspace 7 that you can see."
 */
export function notFound(noun: string, id: string | number): DomainError {
  return new DomainError('not_found', `There is no ${noun} ${JSON.stringify(id)} that you can see.`);
}
