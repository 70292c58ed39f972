import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { createClient } from './create.ts';
import { deleteClient } from './delete.ts';
import { listClients } from './list.ts';

export function clientRoutes(app: Api, services: Services): void {
  createClient(app, services);
  listClients(app, services);
  deleteClient(app, services);
}
