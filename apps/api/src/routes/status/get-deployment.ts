import { type ObservedDeployment, type PodReport, podWord } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ name: Type.String({ description: '<deploy_id>-<deployment id>' }) });
const Text = Type.String();
const TextOrNull = Type.Union([Type.String(), Type.Null()]);
const Component = { ip: Text, name: Text, status: Text, reason: TextOrNull, details: Type.Array(Text) };
const Reply = Type.Object({
  status: Type.String({ description: 'Starting, Running, Error or Stopping' }),
  details: Type.Array(Text),
  engines: Type.Array(
    Type.Object({
      ...Component,
      pipeline_statuses: Type.Object({
        pipelines: Type.Array(Type.Object({ id: Text, status: Text, version: TextOrNull })),
      }),
      model_statuses: Type.Object({
        models: Type.Array(
          Type.Object({ name: Text, sha: Text, status: Text, version: Text, model_version_id: Type.Integer() }),
        ),
      }),
    }),
  ),
  engine_lbs: Type.Array(Type.Object(Component)),
  sidekicks: Type.Array(Type.Object({})),
});

/** 404 is how the SDKs learn that an undeployed pipeline is gone. */
export function getDeploymentStatus(app: Api, { deployments }: Services, publicUrl: string): void {
  const gatewayHost = new URL(publicUrl).hostname;
  app.post(
    '/v1/api/status/get_deployment',
    {
      config: { isUnmetered: true },
      schema: { summary: 'Status of a deployment', tags: ['pipelines'], body: Body, response: { 200: Reply } },
    },
    async ({ caller, body }) => {
      const observed = await deployments.observe(caller, body.name);
      return {
        status: observed.status.state,
        details: [...observed.status.details],
        engines: observed.pods.map((pod) => engine(observed, pod)),
        engine_lbs: [{ ip: gatewayHost, name: `engine-lb-${body.name}`, status: 'Running', reason: null, details: [] }],
        sidekicks: [],
      };
    },
  );
}

function engine({ deployment, pipelineVersion, models }: ObservedDeployment, pod: PodReport) {
  const status = podWord(pod.state);
  // What a replica of an older revision holds is not kept; it is about to end.
  const isCurrent = pod.revision === deployment.revision;
  return {
    ip: pod.address,
    name: `engine-${pod.id}`,
    status,
    reason: pod.reason,
    details: [],
    pipeline_statuses: {
      pipelines: [{ id: deployment.pipelineName, status, version: isCurrent ? pipelineVersion.version : null }],
    },
    model_statuses: {
      models: (isCurrent ? models : []).map(({ name, sha, version, versionId }) => ({
        name,
        sha,
        status,
        version,
        model_version_id: versionId,
      })),
    },
  };
}
