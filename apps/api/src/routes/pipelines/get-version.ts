import { Type } from 'typebox';
import { shownAsBadRequest } from '../../dialects/error-statuses.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ version: Type.String({ description: 'UUID of the pipeline version.' }) });
const Reply = Type.Object({
  pipeline_id: Type.String({ description: "The pipeline's name." }),
  version: Type.String(),
  definition: Type.Object({}, { additionalProperties: true }),
});

export function getPipelineVersion(app: Api, { pipelines }: Services): void {
  app.post(
    '/v1/api/pipelines/get_version',
    {
      config: { statuses: shownAsBadRequest },
      schema: { summary: 'Read a pipeline version', tags: ['pipelines'], body: Body, response: { 200: Reply } },
    },
    async ({ caller, body }) => {
      const { pipelineName, version, definition } = await pipelines.getVersionByUuid(caller, body.version);
      return { pipeline_id: pipelineName, version, definition };
    },
  );
}
