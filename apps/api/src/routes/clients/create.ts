import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ObjectName } from '../object-name.ts';
import { ClientRecord, toClientRecord } from './client-record.ts';

const Body = Type.Object({ name: ObjectName });
const Reply = Type.Object({ ...ClientRecord.properties, client_secret: Type.String() });

/** The secret is in this answer and nowhere else. */
export function createClient(app: Api, { clients }: Services): void {
  app.post(
    '/v1/api/clients/create',
    {
      schema: {
        summary: 'Create an API client that acts with your rights',
        tags: ['clients'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const { client, secret } = await clients.create(caller, body.name);
      return { ...toClientRecord(client), client_secret: secret };
    },
  );
}
