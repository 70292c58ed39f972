import type { Connection } from './connection.ts';
import type { SealedDetails } from './detail-vault.ts';

export interface StoredConnection extends Connection {
  readonly sealed: SealedDetails | null;
}

/** Where connections are kept, details sealed. Reading methods show a user the own ones and those of own workspaces. */
export interface ConnectionStore {
  /** Throws `conflict` when the name is taken by anybody's connection. */
  add(input: NewConnection): Promise<void>;
  /** By name or by id; null when the user sees no such connection. */
  find(visibleTo: string, key: { readonly name: string } | { readonly id: string }): Promise<StoredConnection | null>;
  /** By name; with `workspaceId` those linked to that workspace. */
  list(visibleTo: string, workspaceId?: number): Promise<Connection[]>;
  /** Harmless when it is linked already. Checks nobody's rights. */
  link(connectionId: string, workspaceId: number): Promise<void>;
  /** Resolves to whether it was linked. */
  unlink(connectionId: string, workspaceId: number): Promise<boolean>;
  /** Deletes the connection of that name if the user made it, or whoever made it when `createdById` is absent. */
  delete(name: string, createdById?: string): Promise<boolean>;
  /** Sealed details under other keys than this one, by id, after the id `after`. */
  listSealedUnderOthers(
    keyId: string,
    after: string | null,
    limit: number,
  ): Promise<{ id: string; sealed: SealedDetails }[]>;
  /**
   * Records that the code of a run is about to learn these details, so that its worker masks them in its log. False when
   * the run is over.
   */
  handOut(runId: string, connectionId: string, sealed: SealedDetails): Promise<boolean>;
  /** Replaces sealed details unless they have changed meanwhile; resolves to whether it did. */
  replaceSealed(id: string, old: SealedDetails, sealed: SealedDetails): Promise<boolean>;
}

export interface NewConnection {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly createdById: string;
  readonly sealed: SealedDetails | null;
}
