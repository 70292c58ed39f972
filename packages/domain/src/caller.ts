import { DomainError } from './domain-error.ts';

/** Who is asking. Every service method takes the caller first and decides with it what exists. */
export interface Caller {
  readonly userId: string;
  readonly email: string;
  /** Platform administrators manage users; they see no workspace that they are not a member of. */
  readonly isAdmin: boolean;
  /** The run whose code is asking, with the rights of the user who started it. Never an administrator. */
  readonly runId?: string;
}

/**
 * Refuses code that asks on a user's behalf: what outlives the run (members, credentials, keys) is for the user alone,
 * so that a run cannot hand on rights that should end with it. `what` completes "can": "change members".
 */
export function requirePerson(caller: Caller, what: string): void {
  if (caller.runId === undefined) return;
  throw new DomainError('forbidden', `The token of a run cannot be used to ${what}.`);
}
