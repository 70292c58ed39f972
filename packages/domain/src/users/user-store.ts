import type { User } from './user.ts';

export interface NewUser {
  readonly email: string;
  readonly passwordHash: string;
  readonly isAdmin: boolean;
}

export interface UserChanges {
  readonly isEnabled?: boolean;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
}

/** Where users are kept. Methods do not check who asks: the service does. */
export interface UserStore {
  /** Throws `conflict` when there is a user with this e-mail. */
  create(user: NewUser): Promise<User>;
  findById(id: string): Promise<User | null>;
  /** `email` in the spelling of `normalizeEmail`. */
  findByEmail(email: string): Promise<User | null>;
  findPasswordHash(userId: string): Promise<string | null>;
  /** The user that was created first. */
  findFirst(): Promise<User | null>;
  /** All users, or those of the ids that exist, by creation. */
  list(ids?: readonly string[]): Promise<User[]>;
  /**
   * Resolves to the changed user, or null when there is none. Disabling revokes: refresh tokens and pending device codes
   * are deleted, access tokens issued so far become invalid, and all processes are told.
   */
  update(id: string, changes: UserChanges): Promise<User | null>;
  recordLogin(id: string): Promise<void>;
}
