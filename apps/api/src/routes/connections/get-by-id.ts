import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ConnectionRecord, toConnectionRecord } from './connection-wire.ts';

export function getConnectionById(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/get_by_id',
    {
      schema: {
        summary: 'Read a connection with its details',
        tags: ['connections'],
        body: Type.Object({ id: Type.String() }),
        response: { 200: ConnectionRecord },
      },
    },
    async ({ caller, body }) => {
      const connection = await connections.get(caller, { id: body.id });
      return toConnectionRecord(connection, connection.details);
    },
  );
}
