import formBody from '@fastify/formbody';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Authenticator } from '../plugins/auth.ts';
import type { Api } from '../routes/api.ts';
import { profileClaims } from './access-token-claims.ts';
import type { IdentityDependencies } from './identity-dependencies.ts';
import type { Issuer } from './issuer.ts';
import { issuerPath, protocolPath } from './issuer-path.ts';

const formConfig = { untypedBody: 'application/x-www-form-urlencoded' };

/** The paths that oidc-provider answers itself; the others of it are not reachable. */
export async function issuerRoutes(app: Api, issuer: Issuer): Promise<void> {
  // oidc-provider reads bodies itself, from the socket, with a limit of 56 KB.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    reply.hijack();
    reply.raw.setHeader('x-request-id', request.id);
    request.raw.url = request.url.slice(issuerPath.length);
    await issuer.handle(request.raw, reply.raw, request.ip);
  }

  const schema = { hide: true };
  app.post(`${protocolPath}/token`, { config: formConfig, schema }, answer);
  app.post(`${protocolPath}/auth/device`, { config: formConfig, schema }, answer);
  app.post(`${protocolPath}/revoke`, { config: formConfig, schema }, answer);
  app.get(`${protocolPath}/certs`, { schema }, answer);
  app.get(`${issuerPath}/.well-known/openid-configuration`, { schema }, answer);
}

const LogoutForm = Type.Object({
  refresh_token: Type.String({ maxLength: 512 }),
  client_id: Type.Optional(Type.String()),
});

/** What Keycloak has and oidc-provider has not in this shape: userinfo for JWT access tokens, log-out by refresh token. */
export async function accountRoutes(
  app: Api,
  options: { issuer: Issuer; identity: IdentityDependencies; authenticator: Authenticator },
): Promise<void> {
  const { issuer, identity, authenticator } = options;
  await app.register(formBody, { bodyLimit: 16 * 1024 });

  app.route({
    method: ['GET', 'POST'],
    url: `${protocolPath}/userinfo`,
    config: formConfig,
    schema: { hide: true },
    handler: async (request) => {
      const caller = await authenticator.authenticate(request.headers.authorization);
      const user = await identity.users.get(caller, caller.userId);
      return { sub: user.id, ...profileClaims(user) };
    },
  });

  app.post(
    `${protocolPath}/logout`,
    { config: formConfig, schema: { hide: true, body: LogoutForm } },
    async (request, reply) => {
      const token = await issuer.provider.RefreshToken.find(request.body.refresh_token);
      if (token?.grantId !== undefined) {
        await identity.payloads.revokeByGrantId(token.grantId);
        await identity.payloads.destroy('Grant', token.grantId);
      }
      // A token that is not (any more) valid is logged out as well.
      return reply.code(204).send();
    },
  );
}
