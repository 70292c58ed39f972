import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Encrypts a JSON value: nonce, tag, ciphertext. `context` names where it is kept; elsewhere it does not open. */
export function sealJson(value: unknown, key: Buffer, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const encrypt = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([encrypt.update(JSON.stringify(value), 'utf8'), encrypt.final()]);
  return Buffer.concat([nonce, encrypt.getAuthTag(), ciphertext]);
}

/** Throws when the key, the context or a byte of it is wrong. */
export function openSealedJson(sealed: Uint8Array, key: Buffer, context: string): unknown {
  const bytes = Buffer.from(sealed);
  const decrypt = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  const text = Buffer.concat([decrypt.update(bytes.subarray(nonceBytes + tagBytes)), decrypt.final()]).toString('utf8');
  return JSON.parse(text);
}
