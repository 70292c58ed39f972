import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { inviteUser } from './invite.ts';
import { keycloakUsers } from './keycloak-users.ts';
import { queryUsers } from './query.ts';
import { activateUser, deactivateUser } from './switch-user.ts';

export function userRoutes(app: Api, services: Services): void {
  queryUsers(app, services);
  inviteUser(app, services);
  activateUser(app, services);
  deactivateUser(app, services);
  keycloakUsers(app, services);
}
