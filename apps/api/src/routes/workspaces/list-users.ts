import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ workspace_id: Type.Integer() });
const Reply = Type.Object({ users: Type.Array(Type.Object({ user_id: Type.String(), user_type: Type.String() })) });

export function listWorkspaceUsers(app: Api, { workspaces }: Services): void {
  app.post(
    '/v1/api/workspaces/list_users',
    {
      schema: {
        summary: 'List the members of a workspace',
        tags: ['workspaces'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const { members } = await workspaces.get(caller, body.workspace_id);
      return { users: members.map((member) => ({ user_id: member.userId, user_type: member.role })) };
    },
  );
}
