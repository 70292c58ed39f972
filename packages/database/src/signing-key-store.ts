import type { SigningKeyStore, StoredSigningKey } from '@pademelon/domain';
import type { Pool } from './pool.ts';

export class PostgresSigningKeyStore implements SigningKeyStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async list(): Promise<StoredSigningKey[]> {
    const { rows } = await this.#pool.query(
      `SELECT kid, public_jwk AS "publicJwk", sealed_private_jwk AS "sealedPrivateJwk",
              extract(epoch FROM now() - created_at)::float8 AS "ageSeconds"
       FROM signing_keys ORDER BY created_at, kid`,
    );
    return rows;
  }

  async insert(key: Omit<StoredSigningKey, 'ageSeconds'>, unlessYoungerThanSeconds: number): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO signing_keys (kid, public_jwk, sealed_private_jwk)
       SELECT $1, $2, $3
       WHERE NOT EXISTS (SELECT FROM signing_keys WHERE created_at >= now() - make_interval(secs => $4))`,
      [key.kid, JSON.stringify(key.publicJwk), key.sealedPrivateJwk, unlessYoungerThanSeconds],
    );
    return rowCount === 1;
  }

  async delete(kids: readonly string[]): Promise<void> {
    await this.#pool.query('DELETE FROM signing_keys WHERE kid = ANY($1)', [kids]);
  }
}
