import { randomUUID } from 'node:crypto';
import { channels } from '@pademelon/contracts';
import { DomainError, type NewUser, type User, type UserChanges, type UserStore } from '@pademelon/domain';
import { isRowMissing, isUniqueViolation } from './errors.ts';
import { isStorable } from './is-storable.ts';
import { notify } from './notify.ts';
import type { Database } from './prisma.ts';

/** Everything but the password's hash, which leaves this file by `findPasswordHash` only. */
const omit = { passwordHash: true } as const;

export class PrismaUserStore implements UserStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async create({ email, passwordHash, isAdmin }: NewUser): Promise<User> {
    try {
      const user = await this.#database.user.create({
        data: { id: randomUUID(), email, username: email, passwordHash, isAdmin },
        omit,
      });
      await notify(this.#database, channels.access);
      return user;
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause;
      throw new DomainError('conflict', `There is a user with the e-mail ${JSON.stringify(email)} already.`, { cause });
    }
  }

  async findById(id: string): Promise<User | null> {
    if (!isStorable(id)) return null;
    return this.#database.user.findUnique({ where: { id }, omit });
  }

  async findByEmail(email: string): Promise<User | null> {
    if (!isStorable(email)) return null;
    return this.#database.user.findUnique({ where: { email }, omit });
  }

  async findPasswordHash(userId: string): Promise<string | null> {
    const row = await this.#database.user.findUnique({ where: { id: userId }, select: { passwordHash: true } });
    return row?.passwordHash ?? null;
  }

  async findFirst(): Promise<User | null> {
    return this.#database.user.findFirst({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }], omit });
  }

  async list(ids?: readonly string[]): Promise<User[]> {
    return this.#database.user.findMany({
      ...(ids === undefined ? {} : { where: { id: { in: ids.filter(isStorable) } } }),
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      omit,
    });
  }

  async update(id: string, changes: UserChanges): Promise<User | null> {
    if (!isStorable(id)) return null;
    try {
      return await this.#database.$transaction(async (transaction) => {
        const user = await transaction.user.update({ where: { id }, data: changes, omit });
        await notify(transaction, channels.access);
        if (changes.isEnabled !== false) return user;
        await transaction.$executeRaw`
          DELETE FROM oidc_payloads WHERE payload->>'accountId' = ${id}`;
        await transaction.$executeRaw`
          UPDATE users SET tokens_valid_after = date_trunc('second', clock_timestamp()) + interval '1 second'
          WHERE id = ${id}`;
        return transaction.user.findUniqueOrThrow({ where: { id }, omit });
      });
    } catch (error) {
      if (isRowMissing(error)) return null;
      throw error;
    }
  }

  async recordLogin(id: string): Promise<void> {
    await this.#database.$executeRaw`UPDATE users SET last_login_at = now() WHERE id = ${id}`;
  }
}
