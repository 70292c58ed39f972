import type { RunToken } from './run-surroundings.ts';

/** Signs what lets the code of one attempt act as its user. Only workers sign. */
export interface RunTokenSigner {
  sign(subject: RunTokenSubject): Promise<RunToken>;
}

export interface RunTokenSubject {
  readonly userId: string;
  readonly email: string;
  readonly runId: string;
  readonly attempt: number;
  readonly lifeMs: number;
  /** Tokens of the user that are dated earlier are refused. */
  readonly validAfter: Date;
}
