import type { Pool } from './pool.ts';

export interface AccessUserRow {
  readonly id: string;
  readonly isEnabled: boolean;
  /** Tokens issued before this moment are refused. Milliseconds since 1970. */
  readonly tokensValidAfterMs: number;
  /** Ids of the workspaces that the user is a member of. */
  readonly workspaceIds: readonly number[];
}

/** All users, oldest first, with their memberships: who may infer where. */
export async function loadAccess(pool: Pool): Promise<AccessUserRow[]> {
  const { rows } = await pool.query<AccessUserRow>(
    `SELECT u.id, u.is_enabled AS "isEnabled",
            (extract(epoch FROM u.tokens_valid_after) * 1000)::float8 AS "tokensValidAfterMs",
            coalesce(array_agg(m.workspace_id) FILTER (WHERE m.workspace_id IS NOT NULL), '{}') AS "workspaceIds"
     FROM users u LEFT JOIN workspace_members m ON m.user_id = u.id
     GROUP BY u.id ORDER BY u.created_at, u.id`,
  );
  return rows;
}

export interface PublicKeyRow {
  readonly kid: string;
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** The published keys that sign access tokens. */
export async function loadPublicKeys(pool: Pool): Promise<PublicKeyRow[]> {
  const { rows } = await pool.query<PublicKeyRow>(
    'SELECT kid, public_jwk AS "publicJwk" FROM signing_keys ORDER BY kid',
  );
  return rows;
}
