/** What a worker asks of the rest of the platform before it can start a run. Nothing of it enters the jail as it is. */
export interface RunSurroundings {
  /** SHA-256 of the orchestration's zip; null when the orchestration is not ready. */
  findCode(orchestrationId: string): Promise<{ readonly sha: string } | null>;
  /** The connections linked to the workspace, details in clear: their values are masked in logs, their hosts opened. */
  listConnections(workspaceId: number): Promise<readonly RunConnection[]>;
  /** A token with the rights of the user, good for one attempt of one run, and for no longer than `lifeMs`. */
  issueToken(input: { userId: string; runId: string; attempt: number; lifeMs: number }): Promise<RunToken>;
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
