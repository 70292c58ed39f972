import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool, PostgresSigningKeyStore } from '@pademelon/database/sql';
import { deriveKey } from '@pademelon/runtime';
import { SigningKeys } from '@pademelon/tokens';
import type { Platform } from './platform.ts';
import { platformDatabaseUrl } from './platform-database.ts';

type Json = Readonly<Record<string, unknown>>;

/** Signs what a test likes. */
export interface Signer {
  readonly kid: string;
  sign(header: Json, claims: Json): string;
}

/**
 * The started product's own signing key, taken out of its database with the secret key of its data folder: with it each
 * single claim of a token can be wrong while everything else about it is right.
 */
export async function platformSigner(platform: Pick<Platform, 'pid' | 'home'>): Promise<Signer> {
  const secretKey = Buffer.from(readFileSync(join(platform.home, 'secret.key'), 'utf8').trim(), 'hex');
  const pool = createPool(platformDatabaseUrl(platform), { max: 1 });
  try {
    const store = new PostgresSigningKeyStore(pool);
    const [key] = await new SigningKeys({ store, sealingKey: deriveKey(secretKey, 'signing keys') }).load();
    if (key === undefined) throw new Error('The platform has no signing key.');
    return signerOf(key.kid, createPrivateKey({ key: key.jwk as never, format: 'jwk' }));
  } finally {
    await pool.end();
  }
}

/** ES256, as the platform signs. */
export function signerOf(kid: string, key: KeyObject): Signer {
  const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    kid,
    sign: (header, claims) => {
      const text = `${encode({ alg: 'ES256', typ: 'at+jwt', kid, ...header })}.${encode(claims)}`;
      return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    },
  };
}
