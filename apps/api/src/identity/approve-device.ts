import type { OidcPayloadStore } from '@pademelon/database';
import type Provider from 'oidc-provider';
import { tokenScope } from './identity-dependencies.ts';
import { platformResource } from './provider-configuration.ts';

/** Codes are printed as XXXX-XXXX and may be typed in any way. */
export function normalizeUserCode(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .slice(0, 32);
}

/** Lets the device have the tokens of the user; resolves to false when there is nothing to approve (any more). */
export async function approveDevice(
  { provider, payloads }: { provider: Provider; payloads: OidcPayloadStore },
  userCode: string,
  userId: string,
): Promise<boolean> {
  const code = normalizeUserCode(userCode);
  const device = await payloads.findPendingDevice(code);
  if (device === null) return false;
  const resource = platformResource(provider.issuer);
  const grant = new provider.Grant({ accountId: userId, clientId: device.clientId });
  grant.addResourceScope(resource, tokenScope);
  grant.addOIDCScope('openid profile email');
  const grantId = await grant.save();
  const scope = device.scope?.split(' ').includes('openid') ? `openid ${tokenScope}` : tokenScope;
  const authTime = Math.floor(Date.now() / 1000);
  return payloads.decideDevice(code, { accountId: userId, grantId, scope, resource, authTime }, grantId);
}
