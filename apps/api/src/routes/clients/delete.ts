import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ client_id: Type.String({ maxLength: 255 }) });
const Reply = Type.Object({});

/** It gets no new tokens from now on; the access tokens that it has last until they expire. */
export function deleteClient(app: Api, { clients }: Services): void {
  app.post(
    '/v1/api/clients/delete',
    { schema: { summary: 'Delete one of your API clients', tags: ['clients'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      await clients.delete(caller, body.client_id);
      return {};
    },
  );
}
