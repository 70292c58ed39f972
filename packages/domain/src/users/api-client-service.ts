import { type Caller, requirePerson } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import type { ApiClient, ApiClientStore } from './api-client.ts';

/** Makes the ids and secrets of API clients. Secrets are random, so a plain digest keeps them. */
export interface ClientSecrets {
  generate(): { id: string; secret: string };
  hash(secret: string): string;
}

const maxClientsPerUser = 100;

/** Use cases of API clients. Each belongs to the user who made it and is seen by nobody else. */
export class ApiClientService {
  readonly #store: ApiClientStore;
  readonly #secrets: ClientSecrets;

  constructor(store: ApiClientStore, secrets: ClientSecrets) {
    this.#store = store;
    this.#secrets = secrets;
  }

  /** The secret is told this once. */
  async create(caller: Caller, name: string): Promise<{ client: ApiClient; secret: string }> {
    requirePerson(caller, 'make API clients');
    const mine = await this.#store.listForUser(caller.userId);
    if (mine.length >= maxClientsPerUser) {
      throw new DomainError('conflict', `You have ${maxClientsPerUser} API clients already; delete one first.`);
    }
    const { id, secret } = this.#secrets.generate();
    const secretHash = this.#secrets.hash(secret);
    return { client: await this.#store.create({ id, name, userId: caller.userId, secretHash }), secret };
  }

  async list(caller: Caller): Promise<ApiClient[]> {
    requirePerson(caller, 'see API clients');
    return this.#store.listForUser(caller.userId);
  }

  /** Its refresh tokens end with it; access tokens issued to it last until they expire. */
  async delete(caller: Caller, id: string): Promise<void> {
    requirePerson(caller, 'delete API clients');
    if (!(await this.#store.delete(caller.userId, id))) throw notFound('API client', id);
  }
}
