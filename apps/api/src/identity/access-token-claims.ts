import type { User } from '@pademelon/domain';
import { accessTokenAudience } from '@pademelon/tokens';

export interface TokenFacts {
  readonly user: User;
  readonly clientId: string;
  /** The grant that the token belongs to; absent for an API client's own token. */
  readonly grantId: string | undefined;
  readonly issuedAtSeconds: number;
}

/**
 * The claims that a Keycloak behind the platform we follow puts into its access tokens, and that notebooks read. A user
 * whose tokens were revoked within this second gets one that is dated after the revocation, not one refused by it.
 */
export function accessTokenClaims({ user, clientId, grantId, issuedAtSeconds }: TokenFacts): Record<string, unknown> {
  const role = user.isAdmin ? 'admin_user' : 'user';
  return {
    sub: user.id,
    iat: Math.max(issuedAtSeconds, Math.ceil(user.tokensValidAfter.getTime() / 1000)),
    aud: ['master-realm', accessTokenAudience],
    typ: 'Bearer',
    azp: clientId,
    acr: '1',
    ...(grantId === undefined ? {} : { sid: grantId, session_state: grantId }),
    realm_access: { roles: user.isAdmin ? ['default-roles-master', 'admin'] : ['default-roles-master'] },
    resource_access: { account: { roles: ['view-profile'] } },
    'https://hasura.io/jwt/claims': {
      'x-hasura-user-id': user.id,
      'x-hasura-user-email': user.email,
      'x-hasura-default-role': role,
      'x-hasura-allowed-roles': user.isAdmin ? ['user', 'admin_user'] : ['user'],
      'x-hasura-user-groups': '{}',
    },
    ...profileClaims(user),
  };
}

/** What the userinfo endpoint tells of a user, too. */
export function profileClaims(user: User): Record<string, unknown> {
  const name = [user.firstName, user.lastName].filter(Boolean).join(' ');
  return {
    email: user.email,
    email_verified: true,
    preferred_username: user.username,
    ...(name === '' ? {} : { name }),
    ...(user.firstName === null ? {} : { given_name: user.firstName }),
    ...(user.lastName === null ? {} : { family_name: user.lastName }),
  };
}
