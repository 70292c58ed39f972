import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ClientRecord, toClientRecord } from './client-record.ts';

const Body = Type.Object({});
const Reply = Type.Object({ clients: Type.Array(ClientRecord) });

export function listClients(app: Api, { clients }: Services): void {
  app.post(
    '/v1/api/clients/list',
    { schema: { summary: 'List your API clients', tags: ['clients'], body: Body, response: { 200: Reply } } },
    async ({ caller }) => ({ clients: (await clients.list(caller)).map(toClientRecord) }),
  );
}
