import { randomUUID } from 'node:crypto';
import type { RunToken, RunTokenSigner, RunTokenSubject } from '@pademelon/domain';
import { importJWK, SignJWT } from 'jose';
import type { SigningKeys } from './signing-keys.ts';
import { accessTokenAudience, accessTokenType, runClientId, signingAlgorithm } from './token-profile.ts';

export interface RunTokensOptions {
  readonly keys: Pick<SigningKeys, 'load'>;
  /** `issuerUrl(publicUrl)`, as the API has it. */
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Access tokens like any other, signed with the issuer's key, that name the attempt they are for: whoever verifies one
 * must also ask whether that attempt is still going on. Nothing renews them.
 */
export class RunTokens implements RunTokenSigner {
  readonly #options: RunTokensOptions;

  constructor(options: RunTokensOptions) {
    this.#options = options;
  }

  async sign({ userId, email, runId, attempt, lifeMs, validAfter }: RunTokenSubject): Promise<RunToken> {
    const { keys, issuer, now = Date.now } = this.#options;
    const [signing] = await keys.load();
    if (signing === undefined) throw new Error('There is no key to sign the token of a run with.');
    const issuedAt = Math.max(Math.floor(now() / 1_000), Math.ceil(validAfter.getTime() / 1_000));
    const expiresAt = issuedAt + Math.ceil(lifeMs / 1_000);
    const accessToken = await new SignJWT({
      azp: runClientId,
      typ: 'Bearer',
      email,
      preferred_username: email,
      run_id: runId,
      run_attempt: attempt,
    })
      .setProtectedHeader({ alg: signingAlgorithm, typ: accessTokenType, kid: signing.kid })
      .setIssuer(issuer)
      .setSubject(userId)
      .setAudience(['master-realm', accessTokenAudience])
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(await importJWK(signing.jwk, signingAlgorithm));
    return { accessToken, userId, email, expiresAtMs: expiresAt * 1_000 };
  }
}
