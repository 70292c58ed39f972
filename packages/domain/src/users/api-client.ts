/** A confidential OAuth client: the tokens that it gets for itself act with the rights of its user. */
export interface ApiClient {
  readonly id: string;
  readonly name: string;
  readonly userId: string;
  readonly createdAt: Date;
}

/** Where API clients are kept. */
export interface ApiClientStore {
  create(client: { id: string; name: string; userId: string; secretHash: string }): Promise<ApiClient>;
  /** The client and the hash of its secret, or null when there is none or its user is disabled. */
  findUsable(id: string): Promise<{ client: ApiClient; secretHash: string } | null>;
  /** By creation. */
  listForUser(userId: string): Promise<ApiClient[]>;
  /** Deletes the client and what was issued to it; resolves to whether the user had such a client. */
  delete(userId: string, id: string): Promise<boolean>;
}
