import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { FlatModelVersionWire, toFlatVersionWire } from './model-wire.ts';

const Body = Type.Object({ id: Type.Integer() });
const Reply = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  owner_id: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
  models: Type.Array(FlatModelVersionWire),
  workspace: Type.Object({ id: Type.Integer(), name: Type.String() }),
});

/** Versions come newest first: the SDKs take the first for the latest. */
export function getModel(app: Api, { models }: Services): void {
  app.post(
    '/v1/api/models/get',
    { schema: { summary: 'Get a model and its versions', tags: ['models'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      const model = await models.get(caller, body.id);
      const versions = await models.versionsOf(caller, [model.id]);
      return {
        id: model.id,
        name: model.name,
        owner_id: model.ownerId,
        created_at: model.createdAt.toISOString(),
        updated_at: model.updatedAt.toISOString(),
        models: versions.map(toFlatVersionWire),
        workspace: { id: model.workspaceId, name: model.workspaceName },
      };
    },
  );
}
