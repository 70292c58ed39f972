import type { JsonObject } from '../plain-json.ts';

/** Details that only a holder of the named key can read, and only as those of the connection they were sealed for. */
export interface SealedDetails {
  readonly bytes: Uint8Array;
  /** The key that wraps the data key. */
  readonly keyId: string;
}

/** Seals connection details for the database and opens them again. */
export interface DetailVault {
  /** The key that new details are sealed with. */
  readonly currentKeyId: string;
  seal(connectionId: string, details: JsonObject): SealedDetails;
  /** Throws when a byte was changed, when they were sealed for another connection, or when the key is not known. */
  open(connectionId: string, sealed: SealedDetails): JsonObject;
  /** The same details under the current key. Throws as `open` does. */
  rewrap(connectionId: string, sealed: SealedDetails): SealedDetails;
}
