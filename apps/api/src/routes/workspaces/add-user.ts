import { DomainError } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { findMember, memberProperties } from './member.ts';

const Body = Type.Object({
  ...memberProperties,
  /** `owner` or `collaborator`, in any case. */
  user_type: OrNull(Type.String({ maxLength: 32 })),
});
const Reply = Type.Object({});

/** Adding a member again changes the role. The SDKs send this body without a Content-Type. */
export function addUser(app: Api, { users, workspaces }: Services): void {
  app.post(
    '/v1/api/workspaces/add_user',
    {
      schema: { summary: 'Add a member (owners)', tags: ['workspaces'], body: Body, response: { 200: Reply } },
    },
    async ({ caller, body }) => {
      await workspaces.get(caller, body.workspace_id);
      const user = await findMember(users, caller, body);
      await workspaces.addMember(caller, body.workspace_id, user.id, readRole(body.user_type ?? 'collaborator'));
      return {};
    },
  );
}

function readRole(text: string): 'OWNER' | 'COLLABORATOR' {
  const role = text.toUpperCase();
  if (role === 'OWNER' || role === 'COLLABORATOR') return role;
  throw new DomainError('invalid_input', `The user_type is owner or collaborator, not ${JSON.stringify(text)}.`);
}
