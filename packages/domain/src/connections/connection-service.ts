import { randomUUID } from 'node:crypto';
import { type Caller, requirePerson } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import { isStorableText, type JsonObject } from '../plain-json.ts';
import { isUuid } from '../row-id.ts';
import type { WorkspaceService } from '../workspaces/workspace-service.ts';
import { type Connection, type ConnectionInput, type OpenConnection, readConnectionInput } from './connection.ts';
import type { ConnectionStore, StoredConnection } from './connection-store.ts';
import type { ConnectionTester, ConnectionVerdict } from './connection-tester.ts';
import type { DetailVault, SealedDetails } from './detail-vault.ts';

export type ConnectionKey = { readonly name: string } | { readonly id: string };

export interface ConnectionServiceOptions {
  readonly store: ConnectionStore;
  readonly workspaces: WorkspaceService;
  readonly vault: DetailVault;
  readonly tester: ConnectionTester;
  /** Told of details that do not open: somebody changed or moved them, or a key is missing. */
  readonly onTampered: (connectionId: string, error: unknown) => void;
  /** Told of a test that would have led inside: somebody may be looking for what is behind the platform. */
  readonly onBlocked: (connectionId: string, userId: string) => void;
}

export interface KeyRotation {
  readonly keyId: string;
  readonly rewrapped: number;
  /** Connections whose details do not open, and so were left as they are. */
  readonly failed: readonly string[];
}

const rotationBatch = 100;

/**
 * Use cases of connections. Who made one and the members of the workspaces that it is linked to see it and its details;
 * to everybody else it does not exist, but that its name is taken.
 */
export class ConnectionService {
  readonly #options: ConnectionServiceOptions;

  constructor(options: ConnectionServiceOptions) {
    this.#options = options;
  }

  /** Resolves to the id. Throws `conflict` when the name is taken on the platform. */
  async create(caller: Caller, input: ConnectionInput): Promise<string> {
    const { store, vault, tester } = this.#options;
    const details = readConnectionInput(input);
    const fault = details === null ? null : tester.findFault(input.type, details);
    if (fault !== null) throw new DomainError('invalid_input', fault);
    const id = randomUUID();
    const sealed = details === null ? null : vault.seal(id, details);
    await this.#handOut(caller, id, sealed);
    await store.add({ id, name: input.name, type: input.type, createdById: caller.userId, sealed });
    return id;
  }

  async get(caller: Caller, key: ConnectionKey): Promise<OpenConnection> {
    const { sealed, ...connection } = await this.#find(caller, key);
    const details = sealed && this.#open(connection.id, sealed);
    await this.#handOut(caller, connection.id, sealed);
    return { ...connection, details };
  }

  /** Without details. Those of one workspace, or all that the caller sees. */
  async list(caller: Caller, workspaceId?: number): Promise<Connection[]> {
    if (workspaceId !== undefined) await this.#options.workspaces.get(caller, workspaceId);
    return this.#options.store.list(caller.userId, workspaceId);
  }

  /** Every member of the workspace sees the details from then on, and every run in it may reach the hosts they name. */
  async link(caller: Caller, connectionId: string, workspaceId: number): Promise<void> {
    await this.#options.workspaces.get(caller, workspaceId);
    await this.#find(caller, { id: connectionId });
    await this.#options.store.link(connectionId, workspaceId);
  }

  async unlink(caller: Caller, connectionId: string, workspaceId: number): Promise<void> {
    await this.#options.workspaces.get(caller, workspaceId);
    await this.#find(caller, { id: connectionId });
    if (!(await this.#options.store.unlink(connectionId, workspaceId))) throw notFound('connection', connectionId);
  }

  /** For whoever made it, and for administrators, who need not see it to delete it. */
  async delete(caller: Caller, name: string): Promise<void> {
    if (!isStorableText(name)) throw notFound('connection', name);
    const { store } = this.#options;
    const isDeleted = caller.isAdmin ? await store.delete(name) : await store.delete(name, caller.userId);
    if (isDeleted) return;
    const visible = await store.find(caller.userId, { name });
    if (visible === null) throw notFound('connection', name);
    throw new DomainError('forbidden', 'Only who made the connection, or an administrator, can delete it.');
  }

  async test(caller: Caller, key: ConnectionKey): Promise<ConnectionVerdict> {
    const { id, type, details } = await this.get(caller, key);
    const verdict = await this.#options.tester.test(type, details);
    if (verdict.outcome === 'blocked') this.#options.onBlocked(id, caller.userId);
    return verdict;
  }

  /** Puts all details under the current key, so that older keys can be thrown away. Safe to repeat and to interrupt. */
  async rotateKeys(caller: Caller): Promise<KeyRotation> {
    requirePerson(caller, 'rotate the keys of connections');
    if (!caller.isAdmin)
      throw new DomainError('forbidden', 'Only an administrator can rotate the keys of connections.');
    const { store, vault } = this.#options;
    const failed: string[] = [];
    let rewrapped = 0;
    let after: string | null = null;
    for (;;) {
      const batch = await store.listSealedUnderOthers(vault.currentKeyId, after, rotationBatch);
      for (const { id, sealed } of batch) {
        try {
          if (await store.replaceSealed(id, sealed, vault.rewrap(id, sealed))) rewrapped++;
        } catch (error) {
          this.#options.onTampered(id, error);
          failed.push(id);
        }
      }
      after = batch.at(-1)?.id ?? null;
      if (after === null || batch.length < rotationBatch) return { keyId: vault.currentKeyId, rewrapped, failed };
    }
  }

  #open(id: string, sealed: SealedDetails): JsonObject {
    try {
      return this.#options.vault.open(id, sealed);
    } catch (cause) {
      this.#options.onTampered(id, cause);
      throw new DomainError('internal', 'The details of this connection cannot be opened; tell the operator.', {
        cause,
      });
    }
  }

  /** What the code of a run knows of connections, its worker must know first: it masks it in the run's log. */
  async #handOut({ runId }: Caller, id: string, sealed: SealedDetails | null): Promise<void> {
    if (runId === undefined || sealed === null) return;
    if (await this.#options.store.handOut(runId, id, sealed)) return;
    throw new DomainError('unauthenticated', 'The run that this access token was issued to is over.');
  }

  async #find(caller: Caller, key: ConnectionKey): Promise<StoredConnection> {
    const canExist = 'name' in key ? isStorableText(key.name) : isUuid(key.id);
    const found = canExist ? await this.#options.store.find(caller.userId, key) : null;
    if (found === null) throw notFound('connection', 'name' in key ? key.name : key.id);
    return found;
  }
}
