import { type Deployment, DomainError, inferencePath } from '@pademelon/domain';
import { Type } from 'typebox';
import { shownAsBadRequest } from '../../dialects/error-statuses.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ workspace_id: Type.Integer(), pipeline_name: Type.String() });
const Reply = Type.Object({ url: Type.String() });

/** Both tell the same URL: the gateway is the one way in, from inside and outside. */
export function getPipelineUrls(app: Api, { pipelines, deployments }: Services, publicUrl: string): void {
  for (const verb of ['get_pipeline_external_url', 'get_pipeline_internal_url']) {
    app.post(
      `/v1/api/admin/${verb}`,
      {
        config: { statuses: shownAsBadRequest },
        schema: { summary: 'Inference URL of a pipeline', tags: ['pipelines'], body: Body, response: { 200: Reply } },
      },
      async ({ caller, body }) => {
        const pipeline = await pipelines.getByName(caller, body.workspace_id, body.pipeline_name);
        const [deployment] = await deployments.ofPipelines(caller, [pipeline.id]);
        return { url: `${publicUrl}${inferencePath(requireDeployed(deployment, pipeline.name))}` };
      },
    );
  }
}

/** An undeployed pipeline keeps its URL; one that was never deployed has none yet. */
function requireDeployed(deployment: Deployment | undefined, pipelineName: string): Deployment {
  if (deployment !== undefined) return deployment;
  throw new DomainError(
    'not_found',
    `The pipeline ${pipelineName} has no URL before it is deployed for the first time.`,
  );
}
