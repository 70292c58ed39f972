import { DomainError, type Workspace } from '@pademelon/domain';
import { Value } from 'typebox/value';
import { ObjectName } from '../../routes/object-name.ts';
import { Conditions, type Where } from '../conditions.ts';
import { type OrderBy, orderRows } from '../order-rows.ts';
import type { RequestContext, Resolvers } from '../request-context.ts';

interface NewWorkspace {
  readonly name?: string | null;
  readonly users?: { readonly data: readonly { readonly user_id?: string | null }[] } | null;
  readonly user_default_workspaces?: object | null;
}

export const workspaceResolvers: Resolvers = {
  Query: {
    workspace_by_pk: (_root: unknown, { id }: { id: number }, { loaders }) => loaders.workspace.load(id),
    user_default_workspace: findDefault,
  },
  Mutation: {
    insert_workspace_one: insertWorkspace,
    delete_workspace_users: removeMember,
  },
  workspace: {
    archived: (workspace: Workspace) => workspace.isArchived,
    created_by: (workspace: Workspace) => workspace.createdById,
    owner_id: (workspace: Workspace) => workspace.createdById,
    users: (workspace: Workspace) =>
      workspace.members.map(({ userId, role }) => ({ userId, userType: role, workspaceId: workspace.id })),
    models: async (workspace: Workspace, { order_by }: { order_by?: OrderBy }, { loaders }) =>
      orderRows(await loaders.modelsOfWorkspace.load(workspace.id), order_by, {
        id: (model) => model.id,
        created_at: (model) => model.createdAt,
        updated_at: (model) => model.updatedAt,
      }),
    pipelines: async (workspace: Workspace, _args: unknown, { loaders }) =>
      (await loaders.pipeline.loadMany(workspace.pipelineIds)).filter((pipeline) => pipeline !== null),
  },
};

/**
 * The caller's default workspace, made at first use. The SDKs send null or '' for "me" when they run without log-in;
 * with AUTH=off whatever they send means the one user there is. Of other users there is nothing to be seen.
 */
async function findDefault(
  _root: unknown,
  { where }: { where?: { user_id?: { _eq?: string | null } } },
  { caller, services }: RequestContext,
) {
  const userId = where?.user_id?._eq ?? '';
  if (userId !== '' && userId !== caller.userId && services.platform.isAuthEnabled) return [];
  return [{ userId: caller.userId, workspace: await services.workspaces.getOrCreateDefault(caller) }];
}

async function insertWorkspace(
  _root: unknown,
  { object }: { object: NewWorkspace },
  { caller, services }: RequestContext,
): Promise<Workspace> {
  const isForOthers = object.users?.data.some(({ user_id }) => (user_id ?? caller.userId) !== caller.userId);
  if (isForOthers && services.platform.isAuthEnabled) {
    throw new DomainError('forbidden', 'A workspace can be made for oneself only; add its other members afterwards.');
  }
  const name = object.name;
  if (!Value.Check(ObjectName, name)) {
    throw new DomainError('invalid_input', 'A workspace needs a name of 1 to 255 characters, none of them a control.');
  }
  if (object.user_default_workspaces) return services.workspaces.getOrCreateDefault(caller, name);
  return services.workspaces.create(caller, name);
}

async function removeMember(_root: unknown, { where }: { where: Where }, { caller, services }: RequestContext) {
  const conditions = new Conditions(where);
  const userId = conditions.equal<string>('user_id');
  const workspaceId = conditions.equal<number>('workspace_id');
  if (userId === undefined || workspaceId === undefined) {
    throw new DomainError('invalid_input', 'Say who is to be removed from which workspace: user_id and workspace_id.');
  }
  if (conditions.isContradictory) return { affectedRows: 0 };
  return { affectedRows: await services.workspaces.removeMember(caller, workspaceId, userId) };
}
