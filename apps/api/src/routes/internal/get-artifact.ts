import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Params = Type.Object({ sha: Type.String() });

/**
 * For inference hosts only, who name what they want by its hash and prove with the platform's internal key that they
 * belong to it. Not part of the API that is described to callers.
 */
export function getArtifact(app: Api, { artifacts, internalAccess }: Services): void {
  app.get(
    '/internal/artifacts/:sha',
    {
      schema: { hide: true, params: Params },
      onRequest: async (request) => internalAccess.require(request.headers.authorization),
    },
    async ({ params }, reply) => {
      const { content, sizeBytes } = await artifacts.open(params.sha);
      return reply.type('application/octet-stream').header('content-length', sizeBytes).send(content);
    },
  );
}
