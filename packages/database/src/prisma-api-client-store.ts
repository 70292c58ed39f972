import type { ApiClient, ApiClientStore } from '@pademelon/domain';
import { isStorable } from './is-storable.ts';
import type { Database } from './prisma.ts';

const omit = { secretHash: true } as const;

export class PrismaApiClientStore implements ApiClientStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async create(client: { id: string; name: string; userId: string; secretHash: string }): Promise<ApiClient> {
    return this.#database.apiClient.create({ data: client, omit });
  }

  async findUsable(id: string): Promise<{ client: ApiClient; secretHash: string } | null> {
    if (!isStorable(id)) return null;
    const row = await this.#database.apiClient.findUnique({ where: { id, user: { isEnabled: true } } });
    if (row === null) return null;
    const { secretHash, ...client } = row;
    return { client, secretHash };
  }

  async listForUser(userId: string): Promise<ApiClient[]> {
    return this.#database.apiClient.findMany({ where: { userId }, orderBy: { createdAt: 'asc' }, omit });
  }

  async delete(userId: string, id: string): Promise<boolean> {
    if (!isStorable(id)) return false;
    const [{ count }] = await this.#database.$transaction([
      this.#database.apiClient.deleteMany({ where: { id, userId } }),
      this.#database.$executeRaw`
        DELETE FROM oidc_payloads WHERE payload->>'clientId' = ${id}
          AND NOT EXISTS (SELECT FROM api_clients WHERE id = ${id})`,
    ]);
    return count > 0;
  }
}
