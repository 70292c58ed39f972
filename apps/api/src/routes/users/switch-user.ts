import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ email: Type.String({ minLength: 3, maxLength: 254 }) });
const Reply = Type.Object({});

export function activateUser(app: Api, services: Services): void {
  switchUser(app, services, { path: '/v1/api/users/activate', summary: 'Let a user in again', isEnabled: true });
}

/** Ends the user's log-ins: refresh tokens at once, access tokens within seconds. */
export function deactivateUser(app: Api, services: Services): void {
  switchUser(app, services, { path: '/v1/api/users/deactivate', summary: 'Lock a user out', isEnabled: false });
}

function switchUser(app: Api, { users }: Services, route: { path: string; summary: string; isEnabled: boolean }): void {
  const schema = {
    summary: `${route.summary} (administrators)`,
    tags: ['users'],
    body: Body,
    response: { 200: Reply },
  };
  app.post(route.path, { schema }, async ({ caller, body }) => {
    const user = await users.getByEmail(caller, body.email);
    await users.setEnabled(caller, user.id, route.isEnabled);
    return {};
  });
}
