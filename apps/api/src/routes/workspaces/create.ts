import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ObjectName } from '../object-name.ts';

const Body = Type.Object({ workspace_name: ObjectName });
const Reply = Type.Object({ workspace_id: Type.Integer() });

/** Names are unique on the whole platform. The SDKs show nothing of an error here but that there was one. */
export function createWorkspace(app: Api, { workspaces }: Services): void {
  app.post(
    '/v1/api/workspaces/create',
    { schema: { summary: 'Create a workspace', tags: ['workspaces'], body: Body, response: { 200: Reply } } },
    async (request) => {
      const workspace = await workspaces.create(request.caller, request.body.workspace_name);
      return { workspace_id: workspace.id };
    },
  );
}
