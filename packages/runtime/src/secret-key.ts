import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { read, SettingError } from './settings.ts';

/**
 * The platform's one secret key, 32 bytes in hexadecimal: from PADEMELON_SECRET_KEY, else from the file, which is made
 * with mode 0600 when it does not exist. Every other secret of the platform is derived from it or sealed with it, so
 * all processes of one installation must have the same one.
 */
export function loadSecretKey(options: { value?: string | undefined; file: string }): Buffer {
  const text = options.value?.trim() || readOrCreate(options.file);
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    const source = options.value ? 'PADEMELON_SECRET_KEY' : options.file;
    throw new Error(`The secret key in ${source} must be 64 hexadecimal digits; make one with "openssl rand -hex 32".`);
  }
  return Buffer.from(text, 'hex');
}

/**
 * The secret key before the present one, while it is being replaced (PADEMELON_OLD_SECRET_KEY): it opens what was sealed
 * with it until the rotation has put that under the present key.
 */
export function readOldSecretKey(
  env: Readonly<Record<string, string | undefined>>,
  secretKey: Buffer,
): Buffer | undefined {
  const text = read(env, 'PADEMELON_OLD_SECRET_KEY');
  if (text === undefined) return undefined;
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new SettingError('PADEMELON_OLD_SECRET_KEY must be 64 hexadecimal digits.');
  const old = Buffer.from(text, 'hex');
  if (old.equals(secretKey)) {
    throw new SettingError('PADEMELON_OLD_SECRET_KEY is the present secret key; replace that first, or remove this.');
  }
  return old;
}

function readOrCreate(file: string): string {
  try {
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}

/** Derives an independent 32-byte key for one purpose (HKDF-SHA256). */
export function deriveKey(secretKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `pademelon ${purpose}`, 32));
}

/** What a gateway presents to one pod; a pod knows only its own key and cannot compute another's. */
export function podKey(secretKey: Buffer, podId: string): string {
  return createHmac('sha256', deriveKey(secretKey, 'pods')).update(podId).digest('base64url');
}

/** What hosts present to the API's internal routes (artifact download). */
export function internalKey(secretKey: Buffer): string {
  return deriveKey(secretKey, 'internal').toString('base64url');
}
