import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

/** A connection that was deleted can be created again under the same name. */
export function deleteConnection(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/delete',
    {
      schema: {
        summary: 'Delete a connection (who made it, and administrators)',
        tags: ['connections'],
        body: Type.Object({ name: Type.String() }),
        response: { 204: Type.Null() },
      },
    },
    async ({ caller, body }, reply) => {
      await connections.delete(caller, body.name);
      return reply.code(204).send(null);
    },
  );
}
