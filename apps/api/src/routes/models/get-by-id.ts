import { Type } from 'typebox';
import { shownAsBadRequest } from '../../dialects/error-statuses.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ id: Type.Integer() });
const Reply = Type.Object({
  id: Type.Integer(),
  owner_id: Type.String(),
  workspace_id: Type.Integer(),
  name: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
  model_config: Type.Null(),
});

export function getModelById(app: Api, { models }: Services): void {
  app.post(
    '/v1/api/models/get_by_id',
    {
      config: { statuses: shownAsBadRequest },
      schema: { summary: 'Get a model without its versions', tags: ['models'], body: Body, response: { 200: Reply } },
    },
    async ({ caller, body }) => {
      const model = await models.get(caller, body.id);
      return {
        id: model.id,
        owner_id: model.ownerId,
        workspace_id: model.workspaceId,
        name: model.name,
        created_at: model.createdAt.toISOString(),
        updated_at: model.updatedAt.toISOString(),
        // Configurations belong to versions.
        model_config: null,
      };
    },
  );
}
