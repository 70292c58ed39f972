import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { DetailVault, JsonObject, SealedDetails } from '@pademelon/domain';

/** A key that wraps data keys; the first of a list is the one that seals, the others only open. */
export interface WrappingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

const cipher = 'aes-256-gcm';
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
const wrappedBytes = nonceBytes + tagBytes + keyBytes;

/**
 * Envelope encryption: each row's details are sealed with a data key of their own, which a wrapping key seals in turn,
 * so that a rotation changes 60 bytes and never touches the details. Both seals are bound to the row (and the wrap to
 * its key's id), so bytes that are moved to another row do not open there.
 *
 * Layout: version, wrap nonce, wrap tag, wrapped data key, nonce, tag, ciphertext.
 */
export class EnvelopeVault implements DetailVault {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly currentKeyId: string;

  constructor(keys: readonly WrappingKey[]) {
    const [current] = keys;
    if (current === undefined) throw new Error('A vault needs at least one key.');
    this.currentKeyId = current.id;
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  seal(connectionId: string, details: JsonObject): SealedDetails {
    const dataKey = randomBytes(keyBytes);
    const sealed = encrypt(dataKey, Buffer.from(JSON.stringify(details)), rowContext(connectionId));
    return this.#wrap(connectionId, dataKey, sealed);
  }

  open(connectionId: string, sealed: SealedDetails): JsonObject {
    const { dataKey, rest } = this.#unwrap(connectionId, sealed);
    return JSON.parse(decrypt(dataKey, rest, rowContext(connectionId)).toString('utf8')) as JsonObject;
  }

  /** Opens the details as well: what a key would be thrown away for must be readable without it. */
  rewrap(connectionId: string, sealed: SealedDetails): SealedDetails {
    const { dataKey, rest } = this.#unwrap(connectionId, sealed);
    decrypt(dataKey, rest, rowContext(connectionId));
    return this.#wrap(connectionId, dataKey, rest);
  }

  #wrap(connectionId: string, dataKey: Buffer, rest: Buffer): SealedDetails {
    const keyId = this.currentKeyId;
    const wrapped = encrypt(this.#keys.get(keyId) as Buffer, dataKey, wrapContext(connectionId, keyId));
    return { bytes: Buffer.concat([Buffer.of(version), wrapped, rest]), keyId };
  }

  #unwrap(connectionId: string, { bytes, keyId }: SealedDetails): { dataKey: Buffer; rest: Buffer } {
    const key = this.#keys.get(keyId);
    if (key === undefined)
      throw new Error(`The key ${JSON.stringify(keyId)}, which details are sealed with, is missing.`);
    const all = Buffer.from(bytes);
    if (all[0] !== version) throw new Error('The sealed details are of a version that is not known.');
    const wrapped = all.subarray(1, 1 + wrappedBytes);
    return {
      dataKey: decrypt(key, wrapped, wrapContext(connectionId, keyId)),
      rest: all.subarray(1 + wrappedBytes),
    };
  }
}

function rowContext(connectionId: string): string {
  return `connections|${connectionId}`;
}

function wrapContext(connectionId: string, keyId: string): string {
  return `connections|${connectionId}|${keyId}`;
}

function encrypt(key: Buffer, clear: Buffer, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const encrypting = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([encrypting.update(clear), encrypting.final()]);
  return Buffer.concat([nonce, encrypting.getAuthTag(), ciphertext]);
}

/** Throws when the key, the context or a byte of it is wrong. */
function decrypt(key: Buffer, sealed: Buffer, context: string): Buffer {
  const decrypting = createDecipheriv(cipher, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decrypting.update(sealed.subarray(nonceBytes + tagBytes)), decrypting.final()]);
}
