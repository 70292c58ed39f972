/** Where the issuer is under PUBLIC_URL: the path that both SDKs know. */
export const issuerPath = '/auth/realms/master';

export const protocolPath = `${issuerPath}/protocol/openid-connect`;
