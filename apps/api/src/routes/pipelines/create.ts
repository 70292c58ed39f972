import { Type } from 'typebox';
import { shownAsBadRequest } from '../../dialects/error-statuses.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';

const Body = Type.Object({
  pipeline_id: Type.String({ description: "The pipeline's name." }),
  workspace_id: Type.Integer(),
  definition: OrNull(Type.Object({}, { additionalProperties: true })),
});
const Reply = Type.Object({
  pipeline_pk_id: Type.Integer(),
  pipeline_variant_pk_id: Type.Integer(),
  pipeline_variant_version: Type.String(),
});

/** Every call adds a version, to the workspace's pipeline of that name or to a new one. */
export function createPipeline(app: Api, { pipelines }: Services): void {
  app.post(
    '/v1/api/pipelines/create',
    {
      config: { statuses: shownAsBadRequest },
      schema: { summary: 'Add a pipeline version', tags: ['pipelines'], body: Body, response: { 200: Reply } },
    },
    async ({ caller, body }) => {
      const { pipeline, version } = await pipelines.addVersion(caller, {
        workspaceId: body.workspace_id,
        name: body.pipeline_id,
        definition: body.definition,
      });
      return {
        pipeline_pk_id: pipeline.id,
        pipeline_variant_pk_id: version.id,
        pipeline_variant_version: version.version,
      };
    },
  );
}
