import { openErrorBody } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain';
import type { FastifyError } from 'fastify';
import { describeFailure, errorStatuses } from '../../plugins/error-handler.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { getModel } from './get-model.ts';
import { getModelConfig } from './get-model-config.ts';
import { listModels } from './list-models.ts';

/**
 * What the Open Inference Protocol V2 tells of deployed pipelines. Health and readiness are the gateway's to answer,
 * inference is the pods'. Every error has the protocol's one shape, that of unknown paths below `/v2` included.
 */
export async function openInferenceRoutes(app: Api, services: Services): Promise<void> {
  await app.register(
    async (scope: Api) => {
      scope.setErrorHandler((error: FastifyError | DomainError, request, reply) => {
        const { word, message } = describeFailure(error);
        if (word === 'internal') request.log.error({ err: error }, 'request failed');
        return reply.code(errorStatuses[word]).type('application/json').send(openErrorBody(message));
      });
      scope.setNotFoundHandler((request) => {
        throw new DomainError(
          'not_found',
          `This server has no ${request.method} ${request.url.split('?')[0]}; of the Open Inference Protocol it serves health, metadata, configuration, infer and the repository index.`,
        );
      });
      // Clients ask for the index with no body at all, which JSON could not be.
      scope.addHook('onRequest', async ({ headers }) => {
        const isEmpty = headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
        if (isEmpty) delete headers['content-type'];
      });
      getModel(scope, services);
      getModelConfig(scope, services);
      listModels(scope, services);
    },
    { prefix: '/v2' },
  );
}
