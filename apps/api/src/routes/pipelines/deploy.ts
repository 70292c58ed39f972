import { Type } from 'typebox';
import { deployStatuses } from '../../dialects/error-statuses.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';

const Body = Type.Object({
  deploy_id: Type.String({ description: 'Name of the deployment, usually that of the pipeline.' }),
  pipeline_version_pk_id: OrNull(Type.Integer()),
  pipeline_version: OrNull(Type.String({ description: 'UUID, for callers who do not know the number.' })),
  pipeline_id: OrNull(Type.Integer({ description: 'Deploys the newest version when no version is named.' })),
  engine_config: OrNull(Type.Object({}, { additionalProperties: true })),
  model_configs: OrNull(Type.Array(Type.Integer(), { maxItems: 10_000 })),
  model_ids: OrNull(Type.Array(Type.Integer(), { maxItems: 100, description: 'For a version without steps.' })),
  models: OrNull(
    Type.Array(Type.Object({ version: Type.String() }), { maxItems: 100, description: 'For a version without steps.' }),
  ),
});
const Reply = Type.Object({ id: Type.Integer({ description: 'Of the deployment; it stays the same at a redeploy.' }) });

/** Answers as soon as the wish is written: status/get_deployment tells when it serves. */
export function deployPipeline(app: Api, { deployments }: Services): void {
  app.post(
    '/v1/api/pipelines/deploy',
    {
      config: { statuses: deployStatuses },
      schema: { summary: 'Deploy a pipeline version', tags: ['pipelines'], body: Body, response: { 200: Reply } },
    },
    async ({ caller, body }) => {
      const { id } = await deployments.deploy(caller, {
        deployId: body.deploy_id,
        pipelineVersionId: body.pipeline_version_pk_id ?? undefined,
        pipelineVersion: body.pipeline_version ?? undefined,
        pipelineId: body.pipeline_id ?? undefined,
        engineConfig: body.engine_config,
        modelConfigIds: body.model_configs ?? undefined,
        modelVersionIds: body.model_ids ?? undefined,
        modelVersions: body.models?.map((model) => model.version),
      });
      return { id };
    },
  );
}
