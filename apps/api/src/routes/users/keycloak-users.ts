import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ObjectName } from '../object-name.ts';
import { OrNull } from '../or-null.ts';
import { toUserRecord, UserRecord } from './user-record.ts';

const Params = Type.Object({ id: Type.String({ maxLength: 255 }) });
const Query = Type.Object({ email: Type.Optional(Type.String({ maxLength: 254 })) });
const Name = OrNull(ObjectName);
/** The SDKs send back the whole record that they read; what cannot be changed here is ignored. */
const Changes = Type.Object({ enabled: Type.Optional(Type.Boolean()), firstName: Name, lastName: Name });

const path = '/auth/admin/realms/master/users';

/** Keycloak's admin paths as far as the SDKs use them: look-ups by everybody, changes by administrators. */
export function keycloakUsers(app: Api, { users }: Services): void {
  app.get(
    path,
    {
      schema: {
        summary: 'Find users by e-mail',
        tags: ['users'],
        querystring: Query,
        response: { 200: Type.Array(UserRecord) },
      },
    },
    async ({ caller, query }) => {
      if (query.email === undefined) {
        return (await users.list(caller)).map((user) => toUserRecord(caller, user));
      }
      const user = await users.findByEmail(caller, query.email);
      return user === null ? [] : [toUserRecord(caller, user)];
    },
  );

  app.get(
    `${path}/:id`,
    { schema: { summary: 'Get a user', tags: ['users'], params: Params, response: { 200: UserRecord } } },
    async ({ caller, params }) => toUserRecord(caller, await users.get(caller, params.id)),
  );

  app.put(
    `${path}/:id`,
    { schema: { summary: 'Change a user (administrators)', tags: ['users'], params: Params, body: Changes } },
    async ({ caller, params, body }, reply) => {
      await users.update(caller, params.id, {
        ...(body.enabled === undefined ? {} : { isEnabled: body.enabled }),
        ...(body.firstName === undefined ? {} : { firstName: body.firstName }),
        ...(body.lastName === undefined ? {} : { lastName: body.lastName }),
      });
      return reply.code(204).send();
    },
  );
}
