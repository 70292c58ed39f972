import { Type } from 'typebox';
import { shownAsBadRequest } from '../../dialects/error-statuses.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ name: Type.String(), workspace_id: Type.Integer(), source_pipeline: Type.Integer() });
const Reply = Type.Object({
  pipeline_pk_id: Type.Integer(),
  pipeline_variant_pk_id: Type.Integer(),
  pipeline_version: Type.Union([Type.String(), Type.Null()]),
  deployment: Type.Null(),
});

export function copyPipeline(app: Api, { pipelines }: Services): void {
  app.post(
    '/v1/api/pipelines/copy',
    {
      config: { statuses: shownAsBadRequest },
      schema: {
        summary: 'Make a new pipeline from the newest version of another',
        tags: ['pipelines'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const { pipeline, version } = await pipelines.copy(caller, {
        pipelineId: body.source_pipeline,
        name: body.name,
        workspaceId: body.workspace_id,
      });
      return {
        pipeline_pk_id: pipeline.id,
        pipeline_variant_pk_id: version.id,
        pipeline_version: version.version,
        deployment: null,
      };
    },
  );
}
