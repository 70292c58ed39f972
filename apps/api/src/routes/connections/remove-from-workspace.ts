import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ workspace_id: Type.Integer(), connection_id: Type.String() });

export function removeConnectionFromWorkspace(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/remove_from_workspace',
    {
      schema: {
        summary: 'Unlink a connection from a workspace',
        tags: ['connections'],
        body: Body,
        response: { 204: Type.Null() },
      },
    },
    async ({ caller, body }, reply) => {
      await connections.unlink(caller, body.connection_id, body.workspace_id);
      return reply.code(204).send(null);
    },
  );
}
