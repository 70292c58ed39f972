import type { OidcPayloadStore } from '@pademelon/database';
import type { ApiClientStore, UserService } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';
import type { SigningKeys } from '@pademelon/tokens';

/** What the issuer and its pages are made of. */
export interface IdentityDependencies {
  readonly publicUrl: string;
  readonly users: UserService;
  readonly clients: ApiClientStore;
  readonly payloads: OidcPayloadStore;
  readonly signingKeys: SigningKeys;
  /** 32 bytes that seal what the approval page hands from one step to the next. */
  readonly pageKey: Buffer;
  readonly isAuthOff: boolean;
  /** Life of an access token; one hour by default. */
  readonly accessTokenSeconds: number;
  readonly logger: Logger;
}

/** Life of a refresh token: the `orch` mode of the 2026 SDK assumes 30 days. */
export const refreshTokenSeconds = 30 * 24 * 3600;

/** Life of a device code, and how long a device waits between two polls. */
export const deviceCodeSeconds = 600;
export const pollIntervalSeconds = 2;

/** The scopes that every token of the platform carries; the SDKs ask for none. */
export const tokenScope = 'profile email';
