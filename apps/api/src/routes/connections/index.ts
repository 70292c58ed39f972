import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { addConnectionToWorkspace } from './add-to-workspace.ts';
import { createConnection } from './create.ts';
import { deleteConnection } from './delete.ts';
import { getConnection } from './get.ts';
import { getConnectionById } from './get-by-id.ts';
import { listConnections } from './list.ts';
import { removeConnectionFromWorkspace } from './remove-from-workspace.ts';
import { rotateConnectionKeys } from './rotate-keys.ts';
import { testConnection } from './test.ts';

export function connectionRoutes(app: Api, services: Services): void {
  createConnection(app, services);
  getConnection(app, services);
  getConnectionById(app, services);
  listConnections(app, services);
  addConnectionToWorkspace(app, services);
  removeConnectionFromWorkspace(app, services);
  deleteConnection(app, services);
  testConnection(app, services);
  rotateConnectionKeys(app, services);
}
