import {
  type createDatabase,
  findCurrentAttempts,
  OidcPayloadStore,
  type Pool,
  PostgresSigningKeyStore,
  PrismaApiClientStore,
  PrismaUserStore,
} from '@pademelon/database';
import { ApiClientService, LoginThrottle, UserService } from '@pademelon/domain';
import { deriveKey, type Logger } from '@pademelon/runtime';
import { Argon2Passwords, createTokenVerifier, issuerUrl, randomClientSecrets, SigningKeys } from '@pademelon/tokens';
import type { Authenticator } from '../plugins/auth.ts';
import type { Identity } from './index.ts';
import { Issuer } from './issuer.ts';
import { FirstUserAuthenticator, TokenAuthenticator } from './token-authenticator.ts';

export interface IdentityComposition {
  readonly pool: Pool;
  readonly database: ReturnType<typeof createDatabase>;
  readonly secretKey: Buffer;
  readonly oldSecretKey?: Buffer | undefined;
  readonly publicUrl: string;
  readonly isAuthOff: boolean;
  /** Life of an access token; one hour by default. */
  readonly accessTokenSeconds?: number | undefined;
  readonly logger: Logger;
}

export interface ComposedIdentity {
  readonly identity: Identity;
  readonly authenticator: Authenticator;
  readonly users: UserService;
  readonly clients: ApiClientService;
}

/** Puts the parts of log-in together. The issuer is started: it has made its first key if there was none. */
export async function composeIdentity(composition: IdentityComposition): Promise<ComposedIdentity> {
  const { pool, database, secretKey, oldSecretKey, publicUrl, isAuthOff, logger } = composition;
  const users = new UserService({
    store: new PrismaUserStore(database),
    passwords: new Argon2Passwords(),
    throttle: new LoginThrottle({ now: Date.now }),
  });
  const clientStore = new PrismaApiClientStore(database);
  const keyStore = new PostgresSigningKeyStore(pool);
  const dependencies = {
    publicUrl,
    users,
    clients: clientStore,
    payloads: new OidcPayloadStore(pool),
    signingKeys: new SigningKeys({
      store: keyStore,
      sealingKey: deriveKey(secretKey, 'signing keys'),
      oldSealingKey: oldSecretKey && deriveKey(oldSecretKey, 'signing keys'),
    }),
    pageKey: deriveKey(secretKey, 'approval page'),
    isAuthOff,
    accessTokenSeconds: composition.accessTokenSeconds ?? 3600,
    logger,
  };
  const issuer = new Issuer(dependencies);
  await issuer.start();
  const verifier = createTokenVerifier({ issuer: issuerUrl(publicUrl), loadKeys: () => keyStore.list() });
  if (isAuthOff) logger.warn('AUTH=off: every caller is let in as the first user.');
  return {
    identity: { issuer, dependencies },
    authenticator: isAuthOff
      ? new FirstUserAuthenticator(users, verifier)
      : new TokenAuthenticator({
          verifier,
          users,
          isAttemptCurrent: async (run) => (await findCurrentAttempts(pool, [run])).length > 0,
        }),
    users,
    clients: new ApiClientService(clientStore, randomClientSecrets),
  };
}
