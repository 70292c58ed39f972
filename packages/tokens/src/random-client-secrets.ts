import { createHash, randomBytes } from 'node:crypto';
import type { ClientSecrets } from '@pademelon/domain';

/** 256 random bits cannot be guessed, so their SHA-256 keeps them as well as a slow hash would. */
export const randomClientSecrets: ClientSecrets = {
  generate: () => ({
    id: `client-${randomBytes(9).toString('hex')}`,
    secret: randomBytes(32).toString('base64url'),
  }),
  hash: (secret) => createHash('sha256').update(secret).digest('base64url'),
};
