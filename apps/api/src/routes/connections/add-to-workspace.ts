import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ workspace_id: Type.Integer(), connection_id: Type.String() });
const Reply = Type.Object({ id: Type.String() });

export function addConnectionToWorkspace(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/add_to_workspace',
    {
      schema: {
        summary: 'Link a connection to a workspace, whose members then see its details',
        tags: ['connections'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      await connections.link(caller, body.connection_id, body.workspace_id);
      return { id: body.connection_id };
    },
  );
}
