import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ConnectionRecord, toConnectionRecord } from './connection-wire.ts';

export function getConnection(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/get',
    {
      schema: {
        summary: 'Read a connection with its details, by name',
        tags: ['connections'],
        body: Type.Object({ name: Type.String() }),
        response: { 200: ConnectionRecord },
      },
    },
    async ({ caller, body }) => {
      const connection = await connections.get(caller, { name: body.name });
      return toConnectionRecord(connection, connection.details);
    },
  );
}
