import { DomainError, type UserService } from '@pademelon/domain';
import { errors, type default as Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import { tokenScope } from './identity-dependencies.ts';
import { platformResource, resourceServerInfo } from './provider-configuration.ts';
import { requestAddress } from './request-address.ts';

interface PasswordParameters {
  readonly username?: string;
  readonly password?: string;
}

/** The password grant, which oidc-provider leaves out because OAuth 2.1 does, and both SDKs use. */
export function registerPasswordGrant(provider: Provider, users: UserService, accessTokenSeconds: number): void {
  async function issue(ctx: TokenEndpointGrantContext<PasswordParameters>): Promise<void> {
    const { client, params } = ctx.oidc;
    if (typeof params.username !== 'string' || typeof params.password !== 'string') {
      throw new errors.InvalidRequest('username and password are required');
    }
    const accountId = await logIn(ctx, params.username, params.password);
    const resource = platformResource(provider.issuer);
    const grant = new provider.Grant({ accountId, clientId: client.clientId });
    grant.addResourceScope(resource, tokenScope);
    const grantId = await grant.save();
    const common = { accountId, client, grantId, gty: 'password', scope: tokenScope };
    const accessToken = new provider.AccessToken({
      ...common,
      resourceServer: new provider.ResourceServer(resource, resourceServerInfo(accessTokenSeconds)),
    });
    const refreshToken = new provider.RefreshToken({ ...common, resource, rotations: 0 });
    ctx.oidc.entity('RefreshToken', refreshToken);
    ctx.body = {
      access_token: await accessToken.save(),
      refresh_token: await refreshToken.save(),
      expires_in: accessToken.expiration,
      token_type: 'Bearer',
      scope: tokenScope,
    };
  }

  async function logIn(ctx: TokenEndpointGrantContext, username: string, password: string): Promise<string> {
    try {
      return (await users.logIn({ username, password, address: requestAddress(ctx.req) })).id;
    } catch (error) {
      throw error instanceof DomainError ? toOAuthError(ctx, error) : error;
    }
  }

  provider.registerGrantType<PasswordParameters>('password', issue, ['username', 'password', 'scope']);
}

/** The refusals of a log-in in the words of OAuth. */
function toOAuthError(ctx: TokenEndpointGrantContext, error: DomainError): Error {
  if (error.word === 'invalid_input') return new errors.InvalidRequest(error.message);
  if (error.word === 'unauthenticated') {
    return new errors.CustomOIDCProviderError('invalid_grant', error.message);
  }
  if (error.word !== 'overloaded') return error;
  const details = error.details as { retry_after_seconds?: number } | undefined;
  ctx.set('retry-after', String(details?.retry_after_seconds ?? 1));
  const tooMany = new errors.CustomOIDCProviderError('temporarily_unavailable', error.message);
  return Object.assign(tooMany, { status: 429, statusCode: 429 });
}
