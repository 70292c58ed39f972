import type { Caller } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { Passwords } from './passwords.ts';
import { normalizeEmail, passwordLength, requirePasswordLength, type User } from './user.ts';
import type { UserChanges, UserStore } from './user-store.ts';

export interface UserServiceOptions {
  readonly store: UserStore;
  readonly passwords: Passwords;
  readonly throttle: LoginThrottle;
}

export interface LoginAttempt {
  /** The user's e-mail in any case. */
  readonly username: string;
  readonly password: string;
  /** Where the request comes from: failures are counted by it. */
  readonly address: string;
}

/**
 * Use cases of users. Every enabled user may look up the id, e-mail and name of every other one, since the SDKs add
 * members to workspaces by e-mail and show who created what; only administrators change users.
 */
export class UserService {
  readonly #store: UserStore;
  readonly #passwords: Passwords;
  readonly #throttle: LoginThrottle;

  constructor(options: UserServiceOptions) {
    this.#store = options.store;
    this.#passwords = options.passwords;
    this.#throttle = options.throttle;
  }

  /**
   * Resolves to the user whose password this is. Throws `unauthenticated` without telling whether the user exists, is
   * disabled or has another password, `overloaded` after too many failures, `invalid_input` for an impossible password.
   */
  async logIn({ username, password, address }: LoginAttempt): Promise<User> {
    if (username.length > 254 || password.length > passwordLength.max) {
      throw new DomainError('invalid_input', 'The user name or the password is too long.');
    }
    const email = username.trim().toLowerCase();
    const user = await this.#throttle.attempt({ address, username: email }, () => this.#check(email, password));
    if (user === null) throw new DomainError('unauthenticated', 'The user name or the password is wrong.');
    await this.#store.recordLogin(user.id);
    return user;
  }

  async #check(email: string, password: string): Promise<User | null> {
    const user = await this.#store.findByEmail(email);
    const hash = user === null ? null : await this.#store.findPasswordHash(user.id);
    const isRight = await this.#passwords.verify(password, hash);
    return isRight && user?.isEnabled ? user : null;
  }

  /** The user whom a token names, or null when there is none or it is disabled. For the issuer and authenticators. */
  async findEnabled(id: string): Promise<User | null> {
    const user = await this.#store.findById(id);
    return user?.isEnabled ? user : null;
  }

  /** Who every caller is when log-in is off. */
  async findFirst(): Promise<User | null> {
    return this.#store.findFirst();
  }

  async get(_caller: Caller, id: string): Promise<User> {
    const user = await this.#store.findById(id);
    if (user === null) throw notFound('user', id);
    return user;
  }

  async findByEmail(_caller: Caller, email: string): Promise<User | null> {
    return this.#store.findByEmail(email.trim().toLowerCase());
  }

  /** The user of an e-mail; throws `not_found`. */
  async getByEmail(caller: Caller, email: string): Promise<User> {
    const user = await this.findByEmail(caller, email);
    if (user === null) throw notFound('user', email);
    return user;
  }

  /** All users, or those of the ids that exist. */
  async list(_caller: Caller, ids?: readonly string[]): Promise<User[]> {
    return this.#store.list(ids);
  }

  /** Creates a user. Without a password one is made, which the answer alone tells. */
  async invite(caller: Caller, input: { email: string; password?: string | undefined }): Promise<Invitation> {
    requireAdmin(caller, 'invite users');
    const email = normalizeEmail(input.email);
    if (input.password !== undefined) requirePasswordLength(input.password);
    const password = input.password ?? this.#passwords.generate();
    const passwordHash = await this.#passwords.hash(password);
    const user = await this.#store.create({ email, passwordHash, isAdmin: false });
    return { user, generatedPassword: input.password === undefined ? password : null };
  }

  async setEnabled(caller: Caller, id: string, isEnabled: boolean): Promise<User> {
    return this.update(caller, id, { isEnabled });
  }

  async update(caller: Caller, id: string, changes: UserChanges): Promise<User> {
    requireAdmin(caller, 'change users');
    if (changes.isEnabled === false && id === caller.userId) {
      throw new DomainError('conflict', 'You cannot deactivate yourself; let another administrator do it.');
    }
    const user = await this.#store.update(id, changes);
    if (user === null) throw notFound('user', id);
    return user;
  }

  /**
   * Makes the first user, an administrator, unless there are users already. The password, made here unless the caller
   * chose one, is told this once: it is null when nothing was made.
   */
  async ensureFirstUser(input: {
    email: string;
    password?: string | undefined;
  }): Promise<{ email: string; password: string | null }> {
    const existing = await this.#store.findFirst();
    if (existing !== null) return { email: existing.email, password: null };
    if (input.password !== undefined) requirePasswordLength(input.password);
    const password = input.password ?? this.#passwords.generate();
    const user = await this.#store.create({
      email: normalizeEmail(input.email),
      passwordHash: await this.#passwords.hash(password),
      isAdmin: true,
    });
    return { email: user.email, password };
  }
}

export interface Invitation {
  readonly user: User;
  /** Null when the inviter chose the password. */
  readonly generatedPassword: string | null;
}

function requireAdmin(caller: Caller, what: string): void {
  if (!caller.isAdmin) throw new DomainError('forbidden', `Only an administrator can ${what}.`);
}
