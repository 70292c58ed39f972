import { type Caller, DomainError, type User, type UserService } from '@pademelon/domain';
import { Type } from 'typebox';
import { OrNull } from '../or-null.ts';

/** How the member routes name a workspace and a user: by id, or by e-mail as the REST tutorials do. */
export const memberProperties = {
  workspace_id: Type.Integer(),
  user_id: OrNull(Type.String({ maxLength: 255 })),
  email: OrNull(Type.String({ maxLength: 254 })),
};

/** Finds the user whom such a body names; the id goes before the e-mail. */
export async function findMember(
  users: UserService,
  caller: Caller,
  body: { user_id?: string | null | undefined; email?: string | null | undefined },
): Promise<User> {
  if (body.user_id) return users.get(caller, body.user_id);
  if (body.email) return users.getByEmail(caller, body.email);
  throw new DomainError('invalid_input', 'Say which user: email, or user_id.');
}
