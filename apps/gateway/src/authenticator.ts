import type { AccessTable } from './access-table.ts';
import type { AttemptTable } from './attempt-table.ts';
import type { TokenCache, VerifiedToken } from './token-cache.ts';

export interface AuthenticatorOptions {
  readonly access: AccessTable;
  readonly tokens: TokenCache;
  readonly attempts: Pick<AttemptTable, 'isCurrent'>;
  /** Throws `unauthenticated` for a token that is not ours. */
  readonly verify: (token: string) => Promise<VerifiedToken>;
  /** Every caller is the first user. */
  readonly isAuthOff: boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Tells who a caller is from the Authorization header: null when it is nobody. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #now: () => number;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** The caller's user id or null; a promise only for a token, or the token of an attempt, that is seen for the first time. */
  authenticate(authorization: string | undefined): string | null | Promise<string | null> {
    const { access, tokens, isAuthOff } = this.#options;
    if (isAuthOff) return access.firstUserId;
    if (authorization === undefined) return null;
    // By the header as it came: looking for the token in it would cost as much as the look-up.
    const known = tokens.get(authorization, this.#now());
    if (known !== null) return this.#activeUser(known);
    const text = bearerToken(authorization);
    return text === null ? null : this.#verify(text, authorization);
  }

  async #verify(text: string, authorization: string): Promise<string | null> {
    const token = await this.#options.verify(text);
    this.#options.tokens.put(authorization, token);
    return this.#activeUser(token);
  }

  #activeUser({ userId, issuedAtMs, run }: VerifiedToken): string | null | Promise<string | null> {
    const { access, attempts } = this.#options;
    if (!access.isActive(userId, issuedAtMs)) return null;
    if (run == null) return userId;
    const isCurrent = attempts.isCurrent(run);
    if (isCurrent instanceof Promise) return isCurrent.then((is) => (is ? userId : null));
    return isCurrent ? userId : null;
  }
}

function bearerToken(authorization: string): string | null {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1] ?? null;
}
