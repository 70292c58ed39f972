export * from './access-token-verifier.ts';
export * from './argon2-passwords.ts';
export * from './envelope-vault.ts';
export * from './random-client-secrets.ts';
export * from './run-tokens.ts';
export * from './sealed-json.ts';
export * from './signing-keys.ts';
export * from './token-profile.ts';
