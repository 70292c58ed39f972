import type { OidcPayloadStore } from '@pademelon/database';
import type { ApiClientStore } from '@pademelon/domain';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** Names the user of an API client in the issuer's metadata of it. */
export const clientUserKey = 'pademelon_user_id';

/** How oidc-provider reaches our tables: payloads by kind, and API clients as its dynamic clients. */
export function payloadAdapter(payloads: OidcPayloadStore, clients: ApiClientStore): AdapterFactory {
  return (kind): Adapter => ({
    upsert: (id, payload, expiresIn) => payloads.upsert(kind, id, payload, expiresIn),
    find: (id) => (kind === 'Client' ? findClient(clients, id) : payloads.find(kind, id)),
    consume: (id) => payloads.consume(kind, id),
    destroy: (id) => payloads.destroy(kind, id),
    revokeByGrantId: (grantId) => payloads.revokeByGrantId(grantId),
    // Sessions and user codes are looked up by pages of oidc-provider's own, which are not served.
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  });
}

/** `client_secret` is the secret's digest here: the issuer compares digests. */
async function findClient(clients: ApiClientStore, id: string): Promise<AdapterPayload | undefined> {
  const found = await clients.findUsable(id);
  if (found === null) return undefined;
  return {
    client_id: found.client.id,
    client_secret: found.secretHash,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials', 'password', 'refresh_token'],
    redirect_uris: [],
    response_types: [],
    [clientUserKey]: found.client.userId,
  };
}
