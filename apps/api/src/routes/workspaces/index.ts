import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { addUser } from './add-user.ts';
import { createWorkspace } from './create.ts';
import { listWorkspaces } from './list.ts';
import { listWorkspaceUsers } from './list-users.ts';
import { removeUser } from './remove-user.ts';

export function workspaceRoutes(app: Api, services: Services): void {
  createWorkspace(app, services);
  listWorkspaces(app, services);
  addUser(app, services);
  listWorkspaceUsers(app, services);
  removeUser(app, services);
}
