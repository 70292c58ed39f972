import { createHash } from 'node:crypto';
import type { Pool } from './pool.ts';

export type OidcPayload = Readonly<Record<string, unknown>>;

/** Approval or refusal of a device code, written into its payload. */
export type DeviceDecision = Readonly<Record<string, unknown>>;

export interface PendingDevice {
  readonly clientId: string;
  /** The scope that it asked for, if any. */
  readonly scope: string | null;
  /** What the device that asked told of itself. */
  readonly deviceInfo: Readonly<Record<string, unknown>>;
  readonly requestedAtSeconds: number;
}

/**
 * What the OpenID-Connect issuer has to remember. The ids of its rows are the tokens themselves, so only their digests
 * are kept, and payloads are kept without their id: who reads the table cannot use what is in it. The database's clock
 * decides what has expired.
 */
export class OidcPayloadStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** `expiresInSeconds` undefined: never expires. */
  async upsert(kind: string, id: string, payload: OidcPayload, expiresInSeconds: number | undefined): Promise<void> {
    const { jti: _, ...kept } = payload;
    await this.#pool.query(
      `INSERT INTO oidc_payloads (id, kind, payload, grant_id, user_code, expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
       ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
         user_code = excluded.user_code, expires_at = excluded.expires_at`,
      [
        rowId(kind, id),
        kind,
        JSON.stringify(kept),
        payload['grantId'] ?? null,
        payload['userCode'] ?? null,
        expiresInSeconds ?? null,
      ],
    );
  }

  /** What has expired is not found, but for device codes, whose devices have to be told: those come back expired. */
  async find(kind: string, id: string): Promise<OidcPayload | undefined> {
    const { rows } = await this.#pool.query<{ payload: OidcPayload; consumed: number | null; isExpired: boolean }>(
      `SELECT payload, extract(epoch FROM consumed_at)::int AS consumed,
              coalesce(expires_at <= now(), false) AS "isExpired"
       FROM oidc_payloads WHERE id = $1`,
      [rowId(kind, id)],
    );
    const row = rows[0];
    if (row === undefined || (row.isExpired && kind !== 'DeviceCode')) return undefined;
    return {
      ...row.payload,
      jti: id,
      ...(row.consumed === null ? {} : { consumed: row.consumed }),
      ...(row.isExpired ? { exp: 1 } : {}),
    };
  }

  async consume(kind: string, id: string): Promise<void> {
    await this.#pool.query('UPDATE oidc_payloads SET consumed_at = now() WHERE id = $1', [rowId(kind, id)]);
  }

  async destroy(kind: string, id: string): Promise<void> {
    await this.#pool.query('DELETE FROM oidc_payloads WHERE id = $1', [rowId(kind, id)]);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#pool.query('DELETE FROM oidc_payloads WHERE grant_id = $1', [grantId]);
  }

  /** The device that waits for a decision on this user code. */
  async findPendingDevice(userCode: string): Promise<PendingDevice | null> {
    const { rows } = await this.#pool.query<PendingDevice>(
      `SELECT payload->>'clientId' AS "clientId", coalesce(payload->'deviceInfo', '{}') AS "deviceInfo",
              (payload->>'iat')::int AS "requestedAtSeconds",
              payload->'params'->>'scope' AS "scope"
       FROM oidc_payloads WHERE ${isPending}`,
      [userCode],
    );
    return rows[0] ?? null;
  }

  /** Resolves to false when the code is unknown, has expired or is decided: of two decisions one wins. */
  async decideDevice(userCode: string, decision: DeviceDecision, grantId: string | null): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE oidc_payloads SET payload = payload || $2, grant_id = $3 WHERE ${isPending}`,
      [userCode, JSON.stringify(decision), grantId],
    );
    return rowCount === 1;
  }

  /** Notes a poll of a device code; resolves to whether it came sooner than this after the poll before it. */
  async notePoll(deviceCode: string, intervalSeconds: number): Promise<boolean> {
    const { rows } = await this.#pool.query<{ isTooSoon: boolean }>(
      `UPDATE oidc_payloads AS device SET payload = jsonb_set(device.payload, '{polledAt}', to_jsonb(clock.now))
       FROM (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) AS clock, oidc_payloads AS before
       WHERE device.id = $1 AND before.id = device.id
       RETURNING coalesce(clock.now - (before.payload->>'polledAt')::float8 < $2, false) AS "isTooSoon"`,
      [rowId('DeviceCode', deviceCode), intervalSeconds],
    );
    return rows[0]?.isTooSoon ?? false;
  }

  /** Deletes what expired a while ago; resolves to how many rows. */
  async sweep(): Promise<number> {
    const { rowCount } = await this.#pool.query(
      "DELETE FROM oidc_payloads WHERE expires_at < now() - interval '10 minutes'",
    );
    return rowCount ?? 0;
  }
}

const isPending = `kind = 'DeviceCode' AND user_code = $1 AND expires_at > now()
  AND NOT payload ?| ARRAY['accountId', 'error']`;

function rowId(kind: string, id: string): string {
  return `${kind}:${createHash('sha256').update(id).digest('base64url')}`;
}
