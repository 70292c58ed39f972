/** A key that signs access tokens, as stored: the private part is sealed with the platform's secret key. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly publicJwk: Readonly<Record<string, unknown>>;
  readonly sealedPrivateJwk: Uint8Array;
  /** Age by the database's clock, so that all processes agree on which key signs. */
  readonly ageSeconds: number;
}

/** Where the issuer's keys are kept. */
export interface SigningKeyStore {
  /** All keys, oldest first. */
  list(): Promise<StoredSigningKey[]>;
  /** Adds the key unless one younger than `unlessYoungerThanSeconds` exists; resolves to whether it was added. */
  insert(key: Omit<StoredSigningKey, 'ageSeconds'>, unlessYoungerThanSeconds: number): Promise<boolean>;
  delete(kids: readonly string[]): Promise<void>;
}
