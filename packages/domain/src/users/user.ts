import { DomainError } from '../domain-error.ts';

export interface User {
  readonly id: string;
  /** Lower case; also what the user logs in with. */
  readonly email: string;
  readonly username: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly isEnabled: boolean;
  readonly isAdmin: boolean;
  /** Tokens issued before this moment are refused. */
  readonly tokensValidAfter: Date;
  readonly createdAt: Date;
  readonly lastLoginAt: Date | null;
}

/** The one spelling of an address under which a user is kept and found. Throws `invalid_input`. */
export function normalizeEmail(text: string): string {
  const email = text.trim().toLowerCase();
  if (email.length > 254 || !/^[^\s\p{C}@"<>\\]+@[^\s\p{C}@"<>\\]+$/u.test(email)) {
    throw new DomainError('invalid_input', `${JSON.stringify(text.slice(0, 80))} is not an e-mail address.`);
  }
  return email;
}

export const passwordLength = { min: 8, max: 1024 } as const;

/** Throws `invalid_input` when nobody could have chosen this password, before anything costly is done with it. */
export function requirePasswordLength(password: string): void {
  if (password.length < passwordLength.min || password.length > passwordLength.max) {
    throw new DomainError(
      'invalid_input',
      `A password has ${passwordLength.min} to ${passwordLength.max} characters; this one has ${password.length}.`,
    );
  }
}
