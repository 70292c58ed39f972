import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { getBuildLog } from './get-build-log.ts';
import { getOrchestrationById } from './get-by-id.ts';
import { listOrchestrations } from './list.ts';
import { listAllOrchestrations } from './list-all.ts';
import { uploadOrchestration } from './upload.ts';

export function orchestrationRoutes(app: Api, services: Services): void {
  uploadOrchestration(app, services);
  listOrchestrations(app, services);
  listAllOrchestrations(app, services);
  getOrchestrationById(app, services);
  getBuildLog(app, services);
}
