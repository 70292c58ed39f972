import type { JsonObject } from '../plain-json.ts';

/** What a worker asks of the rest of the platform before it can start a run. Nothing of it enters the jail as it is. */
export interface RunSurroundings {
  /** SHA-256 of the orchestration's zip; null when the orchestration is not ready. */
  findCode(orchestrationId: string): Promise<{ readonly sha: string } | null>;
  /** The connections linked to the workspace, details in clear: their values are masked in logs, their hosts opened. */
  listConnections(workspaceId: number): Promise<readonly RunConnection[]>;
  /**
   * What the API has given of connections to the code of this run, but for the connections named in `known`. Whoever asks
   * after he has the code's output learns of everything that may be in it.
   */
  listHandedOut(runId: string, known: readonly string[]): Promise<readonly HandedOutDetails[]>;
  /**
   * A token with the rights of the user, good for one attempt of one run, and for no longer than `lifeMs`; null when the
   * user is not active.
   */
  issueToken(input: { userId: string; runId: string; attempt: number; lifeMs: number }): Promise<RunToken | null>;
}

export interface HandedOutDetails {
  readonly connectionId: string;
  /** Null when they do not open here: the API has a key that this worker was not given. */
  readonly details: JsonObject | null;
}

export interface RunConnection {
  readonly name: string;
  readonly type: string;
  readonly details: unknown;
}

export interface RunToken {
  readonly accessToken: string;
  readonly userId: string;
  readonly email: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}
