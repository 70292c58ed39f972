import { platformVersion, readOpenModelPath } from '@pademelon/contracts';
import { choosePipeline, DomainError, pipelineNameIn } from '@pademelon/domain';
import type { AccessTable } from './access-table.ts';
import type { DeploymentRoute } from './deployment-route.ts';
import type { RouteTable } from './route-table.ts';

/**
 * What the gateway itself answers of the Open Inference Protocol: what must work while the database is away. Everything
 * else under `/v2` (metadata, configuration, the list of models) is the API's.
 */

const extensions = ['binary_tensor_data', 'model_configuration', 'model_repository'];
const serverMetadata = JSON.stringify({ name: 'pademelon', version: platformVersion, extensions });

/** Whether a deployed pipeline, as a caller names it, is to be used or only asked after. */
export interface ModelQuestion {
  readonly name: string;
  readonly version: string | null;
  readonly action: 'infer' | 'ready';
}

/** Null for requests that are not about a pod. `path` has no query. */
export function readModelQuestion(method: string, path: string): ModelQuestion | null {
  const model = readOpenModelPath(path);
  if (model?.action === 'infer' && method === 'POST') return { ...model, action: 'infer' };
  if (model?.action === 'ready' && method === 'GET') return { ...model, action: 'ready' };
  return null;
}

/** The answer's JSON to a request about the server as a whole, which needs no token; null for every other. */
export function serverAnswer(method: string, path: string): string | null {
  if (method !== 'GET') return null;
  if (path === '/v2' || path === '/v2/') return serverMetadata;
  if (path === '/v2/health/live') return '{"live":true}';
  return path === '/v2/health/ready' ? '{"ready":true}' : null;
}

/** The deployment that a user calls by this name. Throws as `choosePipeline` does. */
export function chooseRoute(
  modelName: string,
  userId: string,
  { routes, access }: { routes: RouteTable; access: AccessTable },
): DeploymentRoute {
  const usable = routes
    .ofPipeline(pipelineNameIn(modelName))
    .filter((route) => access.isMember(userId, route.workspaceId));
  return choosePipeline(modelName, usable);
}

/**
 * The answer's JSON when the model is ready. Throws `not_ready` or, where it never will be, `deployment_failed`, and
 * `not_found` for a version that is not deployed.
 */
export function readyAnswer({ name, version }: ModelQuestion, route: DeploymentRoute): string {
  if (version !== null && version !== route.pipelineVersion) {
    throw new DomainError('not_found', `Version ${JSON.stringify(version)} of the model is not deployed.`);
  }
  // While the pods of a new version start, those of the one before it serve.
  const isReady = route.pods.length > 0 && (version === null || route.servesCurrentRevision);
  if (isReady) return JSON.stringify({ name, ready: true });
  throw new DomainError(...route.explainAbsence());
}
