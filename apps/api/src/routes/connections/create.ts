import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';

const Body = Type.Object({
  name: Type.String(),
  /** Free text; BIGQUERY, POSTGRES, S3 and HTTP are known and can be tested. */
  type: Type.String(),
  details: OrNull(Type.Record(Type.String(), Type.Unknown())),
});
const Reply = Type.Object({ id: Type.String() });

/** Names are unique on the whole platform: a name that is taken is a conflict, whoever took it. */
export function createConnection(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/create',
    { schema: { summary: 'Create a connection', tags: ['connections'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => ({ id: await connections.create(caller, body) }),
  );
}
