import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { toUserRecord, UserRecord } from './user-record.ts';

const Body = Type.Object({
  user_ids: OrNull(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 1000 })),
  workspace_id: OrNull(Type.Integer()),
});
const Reply = Type.Object({ users: Type.Record(Type.String(), UserRecord) });

/** The answer is a map by user id; ids that do not exist are left out. With a workspace: its members only. */
export function queryUsers(app: Api, { users, workspaces }: Services): void {
  app.post(
    '/v1/api/users/query',
    { schema: { summary: 'Look up users', tags: ['users'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      let ids = body.user_ids ?? undefined;
      if (body.workspace_id != null) {
        const { members } = await workspaces.get(caller, body.workspace_id);
        const memberIds = members.map((member) => member.userId);
        ids = ids === undefined ? memberIds : memberIds.filter((id) => ids?.includes(id));
      }
      const found = await users.list(caller, ids);
      return { users: Object.fromEntries(found.map((user) => [user.id, toUserRecord(caller, user)])) };
    },
  );
}
