import { createHash } from 'node:crypto';
import { deriveKey, readOldSecretKey } from './secret-key.ts';
import { read, SettingError } from './settings.ts';

export interface SealingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/**
 * The keys that wrap what is sealed in the database, the one for new rows first: those that PADEMELON_SEALING_KEYS lists
 * as `id:64 hexadecimal digits`, separated by commas, then the one that is derived from the platform's secret key, and
 * last the one of the secret key before it, while that is named. docs/operations.md has the steps of a rotation.
 */
export function readSealingKeys(env: Readonly<Record<string, string | undefined>>, secretKey: Buffer): SealingKey[] {
  const listed = (read(env, variable) ?? '').split(/[,\s]+/).filter((part) => part !== '');
  const keys = listed.map(parseKey);
  const ids = new Set(keys.map(({ id }) => id));
  if (ids.size !== keys.length || keys.some(({ id }) => id.startsWith(derivedName))) {
    throw new SettingError(`${variable} has an id twice, or one that begins with ${derivedName}.`);
  }
  const old = readOldSecretKey(env, secretKey);
  const derived = [secretKey, ...(old === undefined ? [] : [old])].map((secret) =>
    deriveKey(secret, 'connection details'),
  );
  // Before ids told whose key it is, all were named alike.
  const nameless = { id: derivedName, key: derived.at(-1) as Buffer };
  return [...keys, ...derived.map((key) => ({ id: `${derivedName}-${fingerprintOf(key)}`, key })), nameless];
}

const variable = 'PADEMELON_SEALING_KEYS';
const derivedName = 'platform';

/** Tells keys of different secrets apart: what one of them sealed is found, and put under the other, by its id. */
function fingerprintOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}

/** The message tells the place and never the text, which is a secret. */
function parseKey(text: string, index: number): SealingKey {
  const [, id, digits] = /^([A-Za-z0-9._-]{1,64}):([0-9a-f]{64})$/i.exec(text) ?? [];
  if (id === undefined || digits === undefined) {
    throw new SettingError(
      `${variable} takes id:key separated by commas, each key 64 hexadecimal digits, but its entry ${index + 1} is not such a pair.`,
    );
  }
  return { id, key: Buffer.from(digits, 'hex') };
}
