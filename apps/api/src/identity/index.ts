import type { Authenticator } from '../plugins/auth.ts';
import type { Api } from '../routes/api.ts';
import { DeviceApproval } from './device-approval.ts';
import { deviceRoutes } from './device-routes.ts';
import type { IdentityDependencies } from './identity-dependencies.ts';
import type { Issuer } from './issuer.ts';
import { accountRoutes, issuerRoutes } from './issuer-routes.ts';

export interface Identity {
  readonly issuer: Issuer;
  readonly dependencies: IdentityDependencies;
}

/** Everything under /auth/realms/master: log-in, tokens, keys and the page that lets notebooks in. */
export async function identityRoutes(
  app: Api,
  { issuer, dependencies }: Identity,
  authenticator: Authenticator,
): Promise<void> {
  await app.register(async (scope) => issuerRoutes(scope, issuer));
  await app.register(async (scope) => accountRoutes(scope, { issuer, identity: dependencies, authenticator }));
  await app.register(async (scope) => deviceRoutes(scope, new DeviceApproval(dependencies, issuer)));
}
