import type { WorkspaceRole } from '@pademelon/contracts';

export interface WorkspaceMember {
  readonly userId: string;
  readonly role: WorkspaceRole;
}

export interface Workspace {
  readonly id: number;
  readonly name: string;
  readonly isArchived: boolean;
  readonly createdById: string;
  readonly createdAt: Date;
  readonly members: readonly WorkspaceMember[];
  /** Ids of the model families in it, newest first. */
  readonly modelIds: readonly number[];
  /** Ids of the pipelines in it, newest first. */
  readonly pipelineIds: readonly number[];
}

export function isMember(workspace: Workspace, userId: string): boolean {
  return workspace.members.some((member) => member.userId === userId);
}

export function isOwner(workspace: Workspace, userId: string): boolean {
  return workspace.members.some((member) => member.userId === userId && member.role === 'OWNER');
}
