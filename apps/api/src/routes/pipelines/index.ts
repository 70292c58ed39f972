import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { copyPipeline } from './copy.ts';
import { createPipeline } from './create.ts';
import { deployPipeline } from './deploy.ts';
import { getLogs } from './get-logs.ts';
import { getPipelineByName } from './get-pipeline-by-name.ts';
import { getPipelineVersion } from './get-version.ts';
import { listPipelines } from './list-pipelines.ts';
import { undeployPipeline } from './undeploy.ts';

export function pipelineRoutes(app: Api, services: Services): void {
  createPipeline(app, services);
  copyPipeline(app, services);
  getPipelineVersion(app, services);
  getPipelineByName(app, services);
  listPipelines(app, services);
  getLogs(app, services);
  deployPipeline(app, services);
  undeployPipeline(app, services);
}
