import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { ConnectionRecord, toConnectionRecord } from './connection-wire.ts';

const Body = Type.Object({ workspace_id: OrNull(Type.Integer()) });
const Reply = Type.Object({ connections: Type.Array(ConnectionRecord) });

/** Those linked to a workspace, or all that the caller sees; never with details. */
export function listConnections(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/list',
    { schema: { summary: 'List connections', tags: ['connections'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      const listed = await connections.list(caller, body.workspace_id ?? undefined);
      return { connections: listed.map((connection) => toConnectionRecord(connection)) };
    },
  );
}
