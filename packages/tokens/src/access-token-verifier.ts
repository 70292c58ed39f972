import { DomainError, isUuid } from '@pademelon/domain';
import { type CryptoKey, errors, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { accessTokenAudience, accessTokenType, runClientId, signingAlgorithm } from './token-profile.ts';

/** What a valid access token says. Times are milliseconds since the epoch. */
export interface AccessToken {
  readonly userId: string;
  /** The OAuth client that it was issued to. */
  readonly clientId: string;
  readonly tokenId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The attempt whose code it was issued to; null for the tokens of people and API clients. */
  readonly run: { readonly runId: string; readonly attempt: number } | null;
}

export interface PublicKey {
  readonly kid: string;
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

export interface TokenVerifierOptions {
  /** The only issuer whose tokens are accepted: `issuerUrl(publicUrl)`. */
  readonly issuer: string;
  readonly audience?: string;
  /** Reads the published keys; called at the first token and when a token names an unknown key. */
  readonly loadKeys: () => Promise<readonly PublicKey[]>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface TokenVerifier {
  /**
   * Resolves when the token is one of ours and in its time; throws `unauthenticated` otherwise. Whether its user is
   * enabled, whether the token was issued before `tokensValidAfter`, and whether the attempt of a run's token is still
   * going on, is for the caller to check. Costs about
   * 100 µs, so remember the result by the token's hash.
   */
  verify(token: string): Promise<AccessToken>;
  /** Reads the keys anew: call it when keys may have changed. */
  reloadKeys(): Promise<void>;
}

/** Longer ones are not ours; they are refused before anything is decoded. */
const maxTokenLength = 8 * 1024;

/** No token of ours lives longer, whatever it claims. */
const maxLifeMs = 31 * 24 * 3_600_000;

/** How often an unknown key may make us ask for the keys again. */
const reloadIntervalMs = 1_000;

export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const now = options.now ?? Date.now;
  let keys = new Map<string, CryptoKey>();
  let loadedAtMs = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  function reloadKeys(): Promise<void> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  async function load(): Promise<void> {
    const published = await options.loadKeys();
    keys = new Map(await Promise.all(published.map(async (key) => [key.kid, await importKey(key)] as const)));
    loadedAtMs = now();
  }

  async function findKey(kid: string | undefined): Promise<CryptoKey> {
    if (kid === undefined) throw new errors.JWKSNoMatchingKey();
    if (!keys.has(kid) && now() - loadedAtMs >= reloadIntervalMs) await reloadKeys();
    const key = keys.get(kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key;
  }

  async function verify(token: string): Promise<AccessToken> {
    if (token.length > maxTokenLength) throw refused('is too long to be one of this platform');
    try {
      const { payload } = await jwtVerify(token, (header) => findKey(header.kid), {
        algorithms: [signingAlgorithm],
        issuer: options.issuer,
        audience: options.audience ?? accessTokenAudience,
        typ: accessTokenType,
        requiredClaims: ['sub', 'iat', 'exp', 'jti', 'azp'],
        currentDate: new Date(now()),
      });
      return toAccessToken(payload);
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refused('has expired', error);
      if (error instanceof errors.JOSEError) throw refused('was not issued by this platform', error);
      throw error;
    }
  }

  return { verify, reloadKeys };
}

async function importKey(key: PublicKey): Promise<CryptoKey> {
  return (await importJWK(key.publicJwk, signingAlgorithm)) as CryptoKey;
}

function toAccessToken(payload: JWTPayload): AccessToken {
  const { sub, jti, iat, exp } = payload;
  const clientId = payload['azp'];
  const isWhole =
    typeof sub === 'string' && typeof jti === 'string' && typeof clientId === 'string' && iat !== undefined;
  if (!isWhole || exp === undefined || (exp - iat) * 1000 > maxLifeMs) {
    throw refused('was not issued by this platform');
  }
  return {
    userId: sub,
    clientId,
    tokenId: jti,
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
    run: clientId === runClientId ? readRun(payload) : null,
  };
}

/** A token that is a run's by its client must say whose: without it nobody could tell when it ends. */
function readRun(payload: JWTPayload): { runId: string; attempt: number } {
  const { run_id: runId, run_attempt: attempt } = payload;
  if (!isUuid(runId) || !Number.isInteger(attempt)) throw refused('was not issued by this platform');
  return { runId, attempt: attempt as number };
}

function refused(reason: string, cause?: Error): DomainError {
  return new DomainError('unauthenticated', `The access token ${reason}; log in again.`, { cause });
}
