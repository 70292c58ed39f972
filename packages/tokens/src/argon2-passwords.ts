import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { DomainError, type Passwords } from '@pademelon/domain';

const deriveKey = promisify(argon2);

/** OWASP's second choice for argon2id: 19 MiB and about 35 ms a password on one core. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const tagLength = 32;

export interface Argon2PasswordsOptions {
  /** Passwords hashed at once: each takes a thread and 19 MiB. */
  readonly maxRunning?: number;
  /** Passwords that wait for a turn; more are refused with `overloaded`. */
  readonly maxWaiting?: number;
}

/** argon2id, kept in the PHC string form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export class Argon2Passwords implements Passwords {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: Argon2PasswordsOptions = {}) {
    this.#maxRunning = options.maxRunning ?? 2;
    this.#maxWaiting = options.maxWaiting ?? 64;
  }

  /** 120 bits in letters, digits, - and _. */
  generate(): string {
    return randomBytes(15).toString('base64url');
  }

  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    const tag = await this.#derive(password, salt, { ...cost, tagLength });
    const { memory, passes, parallelism } = cost;
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encode(salt)}$${encode(tag)}`;
  }

  async verify(password: string, hash: string | null): Promise<boolean> {
    if (hash === null) {
      await this.#derive(password, randomBytes(saltBytes), { ...cost, tagLength });
      return false;
    }
    const { salt, tag, parameters } = parse(hash);
    return timingSafeEqual(await this.#derive(password, salt, parameters), tag);
  }

  async #derive(password: string, nonce: Buffer, parameters: Parameters): Promise<Buffer> {
    await this.#takeTurn();
    try {
      return await deriveKey('argon2id', { ...parameters, message: password, nonce });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** The turn is handed from one to the next: `#running` counts turns, not their holders. */
  async #takeTurn(): Promise<void> {
    if (this.#running < this.#maxRunning) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new DomainError('overloaded', 'Too many log-ins are being checked at once; try again in a second.');
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

type Parameters = Pick<Argon2Parameters, 'memory' | 'passes' | 'parallelism' | 'tagLength'>;

function parse(hash: string): { salt: Buffer; tag: Buffer; parameters: Parameters } {
  const match = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([\w+/]+)\$([\w+/]+)$/.exec(hash);
  if (match === null) throw new Error('A stored password hash is not in the argon2id form.');
  const tag = Buffer.from(match[5] as string, 'base64');
  return {
    salt: Buffer.from(match[4] as string, 'base64'),
    tag,
    parameters: {
      memory: Number(match[1]),
      passes: Number(match[2]),
      parallelism: Number(match[3]),
      tagLength: tag.length,
    },
  };
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
