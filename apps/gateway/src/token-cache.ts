import { hash } from 'node:crypto';

/** What the gateway keeps of a verified token. */
export interface VerifiedToken {
  readonly userId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The attempt of a run that it was issued to; absent or null for the tokens of people. */
  readonly run?: { readonly runId: string; readonly attempt: number } | null;
}

/**
 * Verified tokens by the SHA-256 of the header that brought them: verifying a signature costs 100 µs, a look-up 2 µs. Of
 * the tokens themselves it keeps the one that came last, since the next request mostly brings the same. Holds at most
 * `capacity`; the one unused for longest goes first.
 */
export class TokenCache {
  readonly #capacity: number;
  readonly #tokens = new Map<string, VerifiedToken>();
  #last: { readonly text: string; readonly token: VerifiedToken } | null = null;

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#tokens.size;
  }

  get(text: string, nowMs: number): VerifiedToken | null {
    if (this.#last?.text === text && nowMs < this.#last.token.expiresAtMs) return this.#last.token;
    const key = keyOf(text);
    const token = this.#tokens.get(key);
    if (token === undefined) return null;
    this.#tokens.delete(key);
    if (token.expiresAtMs <= nowMs) return null;
    // A map iterates in the order of insertion: the first entry is the one unused for longest.
    this.#tokens.set(key, token);
    this.#last = { text, token };
    return token;
  }

  put(text: string, token: VerifiedToken): void {
    this.#tokens.set(keyOf(text), token);
    if (this.#tokens.size <= this.#capacity) return;
    for (const oldest of this.#tokens.keys()) {
      this.#tokens.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#last = null;
    this.#tokens.clear();
  }
}

function keyOf(text: string): string {
  return hash('sha256', text, 'base64');
}
