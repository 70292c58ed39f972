import type { WorkspaceRole } from '@pademelon/contracts';
import type { Workspace } from './workspace.ts';

/** Where workspaces are kept. Methods do not check who asks: the service does. */
export interface WorkspaceStore {
  /** Creates the workspace with its creator as owner. Throws `conflict` when the name is taken. */
  create(input: { name: string; createdById: string; isDefault?: boolean }): Promise<Workspace>;
  findById(id: number): Promise<Workspace | null>;
  findByName(name: string): Promise<Workspace | null>;
  /** The default workspace of a user, if one was made. */
  findDefault(userId: string): Promise<Workspace | null>;
  setDefault(userId: string, workspaceId: number): Promise<void>;
  /** The workspaces of which the user is a member, by id ascending. */
  listForUser(userId: string): Promise<Workspace[]>;
  /** Adds the member or changes the role of an existing one. Throws `conflict` when no owner would be left. */
  setMember(workspaceId: number, userId: string, role: WorkspaceRole): Promise<void>;
  /**
   * Resolves to whether there was such a member, whose default workspace it no longer is then. Throws `conflict` when no owner would
   * be left.
   */
  removeMember(workspaceId: number, userId: string): Promise<boolean>;
}
