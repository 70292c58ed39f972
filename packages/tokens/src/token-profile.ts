/** What all tokens of the platform have in common. Issuer and verifiers read it from here, so they cannot differ. */

/** Small tokens and fast key generation; both SDK generations decode without looking at it. */
export const signingAlgorithm = 'ES256';

/** RFC 9068: an id_token or any other JWT signed with the same key is no access token. */
export const accessTokenType = 'at+jwt';

/** The audience that every access token names, as Keycloak's do. */
export const accessTokenAudience = 'account';

/** The client that tokens of runs name; no client can be registered under it, since ids are made here. */
export const runClientId = 'run';

/** The SDKs know no other realm than `master`. */
export function issuerUrl(publicUrl: string): string {
  return `${publicUrl}/auth/realms/master`;
}
