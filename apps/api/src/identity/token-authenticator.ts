import { hash } from 'node:crypto';
import { type Caller, DomainError, type User, type UserService } from '@pademelon/domain';
import type { AccessToken, TokenVerifier } from '@pademelon/tokens';
import type { Authenticator } from '../plugins/auth.ts';
import { FreshMemo, forgetOldest } from './fresh-memo.ts';

export interface TokenAuthenticatorOptions {
  readonly verifier: TokenVerifier;
  readonly users: Pick<UserService, 'findEnabled'>;
  /** Whether the attempt that a run's token names is still going on. */
  readonly isAttemptCurrent: (attempt: RunAttempt) => Promise<boolean>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How long what is known of a user or a run is relied on: a deactivated user is refused after it. */
  readonly freshMs?: number;
}

const maxRememberedTokens = 10_000;
const maxRememberedUsers = 10_000;

type RunAttempt = NonNullable<AccessToken['run']>;

/** Tells callers by their access token. A token is verified once and then remembered by its digest until it expires. */
export class TokenAuthenticator implements Authenticator {
  readonly #verifier: TokenVerifier;
  readonly #users: Pick<UserService, 'findEnabled'>;
  readonly #isAttemptCurrent: (attempt: RunAttempt) => Promise<boolean>;
  readonly #now: () => number;
  readonly #tokens = new Map<string, AccessToken>();
  readonly #knownUsers: FreshMemo<User | null>;
  readonly #knownAttempts: FreshMemo<boolean>;

  constructor(options: TokenAuthenticatorOptions) {
    this.#verifier = options.verifier;
    this.#users = options.users;
    this.#now = options.now ?? Date.now;
    this.#isAttemptCurrent = options.isAttemptCurrent;
    const memo = { freshMs: options.freshMs ?? 2_000, max: maxRememberedUsers, now: this.#now };
    this.#knownUsers = new FreshMemo(memo);
    this.#knownAttempts = new FreshMemo(memo);
  }

  async authenticate(authorization: string | undefined): Promise<Caller> {
    const text = bearerToken(authorization);
    if (text === undefined) {
      throw new DomainError('unauthenticated', 'Log in first: the request has no bearer token.');
    }
    const token = await this.#verify(text);
    const user = await this.#knownUsers.get(token.userId, () => this.#users.findEnabled(token.userId));
    if (user === null) throw new DomainError('unauthenticated', 'The user of this access token is not active.');
    if (token.issuedAtMs < user.tokensValidAfter.getTime()) {
      throw new DomainError('unauthenticated', 'The access token was revoked; log in again.');
    }
    if (token.run === null) return { userId: user.id, email: user.email, isAdmin: user.isAdmin };
    await this.#requireCurrent(token.run);
    // Code has the rights of its user, but never the power over other users.
    return { userId: user.id, email: user.email, isAdmin: false, runId: token.run.runId };
  }

  /** A worker that lost its lease, or code that outlived it, can do no more with its token. */
  async #requireCurrent(run: RunAttempt): Promise<void> {
    const isCurrent = await this.#knownAttempts.get(`${run.runId} ${run.attempt}`, () => this.#isAttemptCurrent(run));
    if (!isCurrent) throw new DomainError('unauthenticated', 'The run that this access token was issued to is over.');
  }

  async #verify(text: string): Promise<AccessToken> {
    const digest = hash('sha256', text, 'base64');
    const remembered = this.#tokens.get(digest);
    if (remembered !== undefined && remembered.expiresAtMs > this.#now()) return remembered;
    this.#tokens.delete(digest);
    const token = await this.#verifier.verify(text);
    this.#tokens.set(digest, token);
    forgetOldest(this.#tokens, maxRememberedTokens);
    return token;
  }
}

/**
 * Log-in is off: whoever sends whatever is the first user. The code of a run is told apart all the same, because what it
 * reads is to be masked in its log.
 */
export class FirstUserAuthenticator implements Authenticator {
  readonly #users: Pick<UserService, 'findFirst'>;
  readonly #verifier: TokenVerifier;

  constructor(users: Pick<UserService, 'findFirst'>, verifier: TokenVerifier) {
    this.#users = users;
    this.#verifier = verifier;
  }

  async authenticate(authorization: string | undefined): Promise<Caller> {
    const user = await this.#users.findFirst();
    if (user === null) {
      throw new DomainError('unavailable', 'There is no user yet; the launcher makes the first one at its start.');
    }
    const run = await this.#findRun(authorization);
    if (run === null) return { userId: user.id, email: user.email, isAdmin: user.isAdmin };
    return { userId: user.id, email: user.email, isAdmin: false, runId: run.runId };
  }

  async #findRun(authorization: string | undefined): Promise<RunAttempt | null> {
    const text = bearerToken(authorization);
    if (text === undefined) return null;
    return this.#verifier.verify(text).then(
      ({ run }) => run,
      () => null,
    );
  }
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1];
}
