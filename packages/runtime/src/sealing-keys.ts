import { deriveKey } from './secret-key.ts';
import { read, SettingError } from './settings.ts';

export interface SealingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/**
 * The keys that wrap what is sealed in the database, the one for new rows first: those that PADEMELON_SEALING_KEYS lists
 * as `id:64 hexadecimal digits`, separated by commas, and last the one that is derived from the platform's secret key,
 * which is the only one where nothing is listed. To rotate, put a new key in front and rewrap; then drop the old one.
 */
export function readSealingKeys(env: Readonly<Record<string, string | undefined>>, secretKey: Buffer): SealingKey[] {
  const derived = { id: derivedKeyId, key: deriveKey(secretKey, 'connection details') };
  const listed = (read(env, variable) ?? '').split(/[,\s]+/).filter((part) => part !== '');
  const keys = listed.map(parseKey);
  const ids = new Set([derivedKeyId, ...keys.map(({ id }) => id)]);
  if (ids.size !== keys.length + 1)
    throw new SettingError(`${variable} has an id twice, or one named ${derivedKeyId}.`);
  return [...keys, derived];
}

const variable = 'PADEMELON_SEALING_KEYS';
const derivedKeyId = 'platform';

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
