import { DomainError } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';

const Body = Type.Object({ deployment_id: OrNull(Type.Integer()), pipeline_id: OrNull(Type.Integer()) });

/** Replicas end behind it; status/get_deployment answers 404 when they have. Undeploying twice is no error. */
export function undeployPipeline(app: Api, { deployments }: Services): void {
  app.post(
    '/v1/api/pipelines/undeploy',
    {
      schema: { summary: 'Undeploy a pipeline', tags: ['pipelines'], body: Body, response: { 200: Type.Object({}) } },
    },
    async ({ caller, body }) => {
      if (body.deployment_id != null) await deployments.undeploy(caller, body.deployment_id);
      else if (body.pipeline_id != null) await deployments.undeployPipeline(caller, body.pipeline_id);
      else throw new DomainError('invalid_input', 'Say what to undeploy: deployment_id, or pipeline_id.');
      return {};
    },
  );
}
