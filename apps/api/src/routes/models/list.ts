import type { Model, ModelConfig, ModelVersion, Workspace } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { toConfigWire, toVersionWire, VersionWithConfig } from './model-wire.ts';

const Body = Type.Object({ workspace_id: OrNull(Type.Integer()), workspace_name: OrNull(Type.String()) });

/** The keys that the 2023 SDK reads, beside `model` and `model_versions` for the 2026 SDK. */
const ModelHead = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  owner_id: Type.String(),
  workspace_id: Type.Integer(),
  created_at: Type.String(),
  updated_at: Type.String(),
});
const Item = Type.Object({
  ...ModelHead.properties,
  model: ModelHead,
  model_versions: Type.Array(VersionWithConfig),
  workspace: Type.Object({
    id: Type.Integer(),
    name: Type.String(),
    archived: Type.Boolean(),
    created_at: Type.String(),
    created_by: Type.String(),
    group_id: Type.Null(),
  }),
});
const Reply = Type.Object({ models: Type.Array(Item) });

/** Last changed first; without a workspace those of all the caller's workspaces. */
export function listModels(app: Api, { models, workspaces }: Services): void {
  app.post(
    '/v1/api/models/list',
    {
      schema: {
        summary: 'List models with their versions and newest configurations',
        tags: ['models'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const listed = await models.list(caller, {
        ...(body.workspace_id == null ? {} : { workspaceId: body.workspace_id }),
        ...(body.workspace_name == null ? {} : { workspaceName: body.workspace_name }),
      });
      const modelIds = listed.map((model) => model.id);
      const versions = await models.versionsOf(caller, modelIds);
      const versionIds = versions.map((version) => version.id);
      const configs = await models.latestConfigs(caller, versionIds);
      const rooms = new Map((await workspaces.list(caller)).map((workspace) => [workspace.id, workspace]));
      const byVersion = new Map(configs.map((config) => [config.modelVersionId, config]));
      const byModel = Map.groupBy(versions, (version) => version.modelId);
      return {
        models: listed.flatMap((model) => {
          const workspace = rooms.get(model.workspaceId);
          return workspace ? [toItem(model, byModel.get(model.id) ?? [], byVersion, workspace)] : [];
        }),
      };
    },
  );
}

function toItem(
  model: Model,
  versions: readonly ModelVersion[],
  configs: ReadonlyMap<number, ModelConfig>,
  workspace: Workspace,
) {
  const head = {
    id: model.id,
    name: model.name,
    owner_id: model.ownerId,
    workspace_id: model.workspaceId,
    created_at: model.createdAt.toISOString(),
    updated_at: model.updatedAt.toISOString(),
  };
  return {
    ...head,
    model: head,
    model_versions: versions.flatMap((version) => {
      const config = configs.get(version.id);
      return config ? [{ model_version: toVersionWire(version), config: toConfigWire(config) }] : [];
    }),
    workspace: {
      id: workspace.id,
      name: workspace.name,
      archived: workspace.isArchived,
      created_at: workspace.createdAt.toISOString(),
      created_by: workspace.createdById,
      group_id: null,
    },
  };
}
