import type { UserService } from '@pademelon/domain';
import { accessTokenAudience, type SigningKey, signingAlgorithm } from '@pademelon/tokens';
import type {
  AccessToken,
  Account,
  ClientCredentials,
  ClientMetadata,
  Configuration,
  JWK,
  JWTStructured,
  KoaContextWithOIDC,
  ResourceServer,
} from 'oidc-provider';
import { accessTokenClaims, profileClaims } from './access-token-claims.ts';
import {
  deviceCodeSeconds,
  type IdentityDependencies,
  refreshTokenSeconds,
  tokenScope,
} from './identity-dependencies.ts';
import { clientUserKey, payloadAdapter } from './payload-adapter.ts';
import { requestAddress } from './request-address.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** The one resource that tokens are for: the platform itself. */
export function platformResource(issuer: string): string {
  return `${issuer}/platform`;
}

export function resourceServerInfo(accessTokenSeconds: number): ResourceServer {
  return {
    scope: tokenScope,
    audience: accessTokenAudience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: accessTokenSeconds,
    jwt: { sign: { alg: signingAlgorithm } },
  };
}

/** Both SDK generations call themselves this and have no secret. */
const sdkClient: ClientMetadata = {
  client_id: 'sdk-client',
  token_endpoint_auth_method: 'none',
  grant_types: ['password', 'refresh_token', deviceGrant],
  redirect_uris: [],
  response_types: [],
};

/** Keycloak's paths, under the issuer's. */
const routes = {
  authorization: '/protocol/openid-connect/auth',
  device_authorization: '/protocol/openid-connect/auth/device',
  code_verification: '/device',
  token: '/protocol/openid-connect/token',
  revocation: '/protocol/openid-connect/revoke',
  jwks: '/protocol/openid-connect/certs',
};

/** Everything that oidc-provider is told. The first of the keys signs. */
export function providerConfiguration(
  issuer: string,
  keys: readonly SigningKey[],
  identity: IdentityDependencies,
): Configuration {
  const { users, accessTokenSeconds } = identity;
  return {
    adapter: payloadAdapter(identity.payloads, identity.clients),
    jwks: { keys: keys.map((key) => key.jwk as JWK) },
    clients: [sdkClient],
    clientDefaults: { id_token_signed_response_alg: signingAlgorithm },
    extraClientMetadata: { properties: [clientUserKey] },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    // Browsers of other origins have no business at the issuer.
    clientBasedCORS: () => false,
    claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name', 'preferred_username'], email: ['email'] },
    scopes: ['openid', 'profile', 'email'],
    findAccount: (_ctx, id) => findAccount(users, id),
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', deviceInfo },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => platformResource(issuer),
        getResourceServerInfo: () => resourceServerInfo(accessTokenSeconds),
        useGrantedResource: () => true,
      },
    },
    formats: {
      customizers: { jwt: (ctx, token, parts) => addClaims({ ctx, token, parts, users }) },
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // Notebook kernels and tasks share one cached refresh token and never save a new one, so it stays the same.
    rotateRefreshToken: false,
    expiresWithSession: async () => false,
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      IdToken: accessTokenSeconds,
      DeviceCode: deviceCodeSeconds,
      RefreshToken: refreshTokenSeconds,
      Grant: refreshTokenSeconds,
    },
    routes,
    discovery: {
      userinfo_endpoint: `${issuer}/protocol/openid-connect/userinfo`,
      end_session_endpoint: `${issuer}/protocol/openid-connect/logout`,
    },
  };
}

async function findAccount(users: UserService, id: string): Promise<Account | undefined> {
  const user = await users.findEnabled(id);
  return user === null ? undefined : { accountId: user.id, claims: async () => ({ sub: id, ...profileClaims(user) }) };
}

function deviceInfo(ctx: KoaContextWithOIDC): Record<string, unknown> {
  return { address: requestAddress(ctx.req), userAgent: (ctx.get('user-agent') ?? '').slice(0, 200) };
}

/** A token for an API client itself carries the claims of the client's user: it acts with that user's rights. */
async function addClaims(input: {
  ctx: KoaContextWithOIDC;
  token: AccessToken | ClientCredentials;
  parts: JWTStructured;
  users: UserService;
}): Promise<void> {
  const { ctx, token, parts, users } = input;
  const client = ctx.oidc.client;
  const userId = token.kind === 'AccessToken' ? token.accountId : client?.[clientUserKey];
  const user = typeof userId === 'string' ? await users.findEnabled(userId) : null;
  if (user === null || client === undefined) throw new Error('A token was about to be issued for nobody.');
  Object.assign(
    parts.payload,
    { scope: tokenScope },
    accessTokenClaims({
      user,
      clientId: client.clientId,
      grantId: token.kind === 'AccessToken' ? token.grantId : undefined,
      issuedAtSeconds: Number(parts.payload['iat']),
    }),
  );
}
