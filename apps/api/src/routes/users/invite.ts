import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';

const Body = Type.Object({
  email: Type.String({ minLength: 3, maxLength: 254 }),
  password: OrNull(Type.String()),
});
const Reply = Type.Object({ id: Type.String(), email: Type.String(), password: Type.Optional(Type.String()) });

/** Without a password one is made; it is in this answer and nowhere else. */
export function inviteUser(app: Api, { users }: Services): void {
  app.post(
    '/v1/api/users/invite',
    {
      schema: {
        summary: 'Add a user (administrators)',
        tags: ['users'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const { user, generatedPassword } = await users.invite(caller, {
        email: body.email,
        password: body.password ?? undefined,
      });
      return { id: user.id, email: user.email, ...(generatedPassword === null ? {} : { password: generatedPassword }) };
    },
  );
}
