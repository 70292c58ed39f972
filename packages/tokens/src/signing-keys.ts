import { randomUUID } from 'node:crypto';
import type { SigningKeyStore, StoredSigningKey } from '@pademelon/domain';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { openSealedJson, sealJson } from './sealed-json.ts';
import { signingAlgorithm } from './token-profile.ts';

export interface SigningKeysOptions {
  readonly store: SigningKeyStore;
  /** 32 bytes, derived from the platform's secret key for this purpose alone. */
  readonly sealingKey: Buffer;
  /** Derived from the secret key before: keys that it opens are deleted, as one that may be known signs no more. */
  readonly oldSealingKey?: Buffer | undefined;
  /** Age at which a successor is made. */
  readonly rotateAfterSeconds?: number;
  /** How long a key is published before it signs, so that every verifier knows it by then. */
  readonly settleSeconds?: number;
  /** How long a key is published after its successor took over: longer than any access token lives. */
  readonly retainSeconds?: number;
}

export interface SigningKey {
  readonly kid: string;
  /** With its private part. */
  readonly jwk: JWK;
}

/**
 * The issuer's keys and their life: a new key is published first, signs once it has settled, and stays published after
 * its successor took over until the last token that it signed has expired.
 */
export class SigningKeys {
  readonly #store: SigningKeyStore;
  readonly #sealingKey: Buffer;
  readonly #oldSealingKey: Buffer | undefined;
  readonly #rotateAfterSeconds: number;
  readonly #settleSeconds: number;
  readonly #retainSeconds: number;

  constructor(options: SigningKeysOptions) {
    this.#store = options.store;
    this.#sealingKey = options.sealingKey;
    this.#oldSealingKey = options.oldSealingKey;
    this.#rotateAfterSeconds = options.rotateAfterSeconds ?? 90 * 24 * 3600;
    this.#settleSeconds = options.settleSeconds ?? 60;
    this.#retainSeconds = options.retainSeconds ?? 2 * 24 * 3600;
  }

  /** All published keys with the one that signs first. Makes a key when there is none and rotates when it is due. */
  async load(): Promise<SigningKey[]> {
    await this.#deleteOld();
    await this.#rotateWhenDue();
    const keys = await this.#store.list();
    const signing = this.#signingKey(keys);
    return [signing, ...keys.filter((key) => key !== signing)].map((key) => this.#open(key));
  }

  async #deleteOld(): Promise<void> {
    const sealingKey = this.#oldSealingKey;
    if (sealingKey === undefined) return;
    const old = (await this.#store.list()).filter((key) => opens(key, sealingKey));
    if (old.length > 0) await this.#store.delete(old.map((key) => key.kid));
  }

  async #rotateWhenDue(): Promise<void> {
    const keys = await this.#store.list();
    const isDue = keys.every((key) => key.ageSeconds > this.#rotateAfterSeconds);
    if (isDue) await this.#add();
    const settled = keys.filter((key) => key.ageSeconds >= this.#settleSeconds);
    // A key is done when its successor, the next one in age, has signed for long enough.
    const done = settled.filter((_, index) => {
      const successor = settled[index + 1];
      return successor !== undefined && successor.ageSeconds > this.#settleSeconds + this.#retainSeconds;
    });
    if (done.length > 0) await this.#store.delete(done.map((key) => key.kid));
  }

  async #add(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true });
    const kid = randomUUID();
    const common = { kid, alg: signingAlgorithm, use: 'sig' };
    await this.#store.insert(
      {
        kid,
        publicJwk: { ...(await exportJWK(publicKey)), ...common },
        sealedPrivateJwk: sealJson({ ...(await exportJWK(privateKey)), ...common }, this.#sealingKey, context(kid)),
      },
      this.#rotateAfterSeconds,
    );
  }

  /** The newest key that has settled; when none has, the oldest, on which two processes starting at once agree. */
  #signingKey(keys: readonly StoredSigningKey[]): StoredSigningKey {
    const key = keys.findLast((candidate) => candidate.ageSeconds >= this.#settleSeconds) ?? keys[0];
    if (key === undefined) throw new Error('The signing key that was just made is gone.');
    return key;
  }

  #open(key: StoredSigningKey): SigningKey {
    try {
      return { kid: key.kid, jwk: open(key, this.#sealingKey) };
    } catch (cause) {
      throw new Error(
        `The signing key ${key.kid} does not open: the platform's secret key is not the one that it was sealed with. If you replaced it, name the old one in PADEMELON_OLD_SECRET_KEY.`,
        { cause },
      );
    }
  }
}

function open(key: StoredSigningKey, sealingKey: Buffer): JWK {
  return openSealedJson(key.sealedPrivateJwk, sealingKey, context(key.kid)) as JWK;
}

function opens(key: StoredSigningKey, sealingKey: Buffer): boolean {
  try {
    open(key, sealingKey);
    return true;
  } catch {
    return false;
  }
}

function context(kid: string): string {
  return `signing_keys|${kid}`;
}
