import type { RestClient } from '../../acceptance/support/rest-client.ts';
import { type DeployedPipeline, uniqueName, untilStatus, uploadModel } from '../../acceptance/support/rest-flow.ts';

/** Adds a version with one step to a pipeline; resolves with its id. */
export async function addVersion(
  client: RestClient,
  pipeline: DeployedPipeline,
  modelBytes: Uint8Array,
): Promise<number> {
  const { workspaceId } = pipeline;
  const file = { name: uniqueName('model'), fileName: 'model.onnx', bytes: modelBytes, workspaceId };
  const { name, version, sha } = await uploadModel(client, file);
  const created = await client.call('/v1/api/pipelines/create', {
    pipeline_id: pipeline.name,
    workspace_id: workspaceId,
    definition: { id: pipeline.name, steps: [{ ModelInference: { models: [{ name, version, sha }] } }] },
  });
  return created.pipeline_variant_pk_id;
}

/** Deploys a version over what is running, in one call. */
export async function deployVersion(client: RestClient, pipeline: DeployedPipeline, versionId: number): Promise<void> {
  await client.call('/v1/api/pipelines/deploy', {
    deploy_id: pipeline.name,
    pipeline_version_pk_id: versionId,
    engine_config: { engine: { replicas: 1, cpu: 1 } },
  });
}

export async function untilRunning(client: RestClient, pipeline: DeployedPipeline): Promise<void> {
  await untilStatus(client, `${pipeline.name}-${pipeline.deploymentId}`, 'Running', 60_000);
}
