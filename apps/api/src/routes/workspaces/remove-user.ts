import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { findMember, memberProperties } from './member.ts';

const Body = Type.Object(memberProperties);
const Reply = Type.Object({ affected_rows: Type.Integer() });

/** Everybody may leave; only owners remove others. `affected_rows` is 0 for a user who is not a member. */
export function removeUser(app: Api, { users, workspaces }: Services): void {
  app.post(
    '/v1/api/workspaces/remove_user',
    { schema: { summary: 'Remove a member', tags: ['workspaces'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      await workspaces.get(caller, body.workspace_id);
      const user = await findMember(users, caller, body);
      return { affected_rows: await workspaces.removeMember(caller, body.workspace_id, user.id) };
    },
  );
}
