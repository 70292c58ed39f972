import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ user_id: Type.Optional(Type.Union([Type.String(), Type.Null()])) });
const Reply = Type.Object({
  workspaces: Type.Array(
    Type.Object({
      id: Type.Integer(),
      name: Type.String(),
      created_at: Type.String(),
      created_by: Type.String(),
      archived: Type.Boolean(),
      models: Type.Array(Type.Integer()),
      pipelines: Type.Array(Type.Integer()),
    }),
  ),
});

export function listWorkspaces(app: Api, { workspaces }: Services): void {
  app.post(
    '/v1/api/workspaces/list',
    { schema: { summary: "List the caller's workspaces", tags: ['workspaces'], body: Body, response: { 200: Reply } } },
    async (request) => {
      const mine = await workspaces.list(request.caller);
      return {
        workspaces: mine.map((workspace) => ({
          id: workspace.id,
          name: workspace.name,
          created_at: workspace.createdAt.toISOString(),
          created_by: workspace.createdById,
          archived: workspace.isArchived,
          models: [...workspace.modelIds],
          pipelines: [...workspace.pipelineIds],
        })),
      };
    },
  );
}
