import type { AccessUserRow } from '@pademelon/database/sql';

interface User {
  readonly isEnabled: boolean;
  readonly tokensValidAfterMs: number;
  readonly workspaceIds: ReadonlySet<number>;
}

/**
 * Who may infer where, held in memory so that inference needs no database. Replaced as a whole at every refresh; until
 * the first one nobody may do anything.
 */
export class AccessTable {
  #users: ReadonlyMap<string, User> = new Map();
  #firstUserId: string | null = null;

  replace(rows: readonly AccessUserRow[]): void {
    this.#users = new Map(
      rows.map(({ id, isEnabled, tokensValidAfterMs, workspaceIds }) => [
        id,
        { isEnabled, tokensValidAfterMs, workspaceIds: new Set(workspaceIds) },
      ]),
    );
    this.#firstUserId = rows[0]?.id ?? null;
  }

  /** Everybody, where authentication is off. */
  get firstUserId(): string | null {
    return this.#firstUserId;
  }

  /** Whether a token that the user was given at this moment still counts. */
  isActive(userId: string, tokenIssuedAtMs: number): boolean {
    const user = this.#users.get(userId);
    return user?.isEnabled === true && tokenIssuedAtMs >= user.tokensValidAfterMs;
  }

  isMember(userId: string, workspaceId: number): boolean {
    return this.#users.get(userId)?.workspaceIds.has(workspaceId) ?? false;
  }
}
