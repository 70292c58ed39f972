import { readAutoscalePolicy, readEngineConfig } from '@pademelon/contracts';
import { type Deployment, type Pipeline, pipelineTopicName, type Workspace } from '@pademelon/domain';
import { Type } from 'typebox';

const PipelineFields = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
});
const WorkspaceFields = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  archived: Type.Boolean(),
  created_at: Type.String(),
  created_by: Type.String(),
});

/** A pipeline as the 2026 SDK's strict reader wants it. */
export const PipelineReply = Type.Object({
  pipeline: PipelineFields,
  plateau_topic: Type.String(),
  workspace: WorkspaceFields,
});

export const ListedPipelineReply = Type.Object({
  ...PipelineReply.properties,
  deployment: Type.Union([
    Type.Object({ maximum_replicas: Type.Integer(), prewarmed_replicas: Type.Integer() }),
    Type.Null(),
  ]),
});

export function pipelineReply(pipeline: Pipeline, workspace: Workspace) {
  const { id, name } = pipeline;
  return {
    pipeline: {
      id,
      name,
      created_at: pipeline.createdAt.toISOString(),
      updated_at: pipeline.updatedAt.toISOString(),
    },
    plateau_topic: pipelineTopicName(pipeline.workspaceId, name),
    workspace: {
      id: workspace.id,
      name: workspace.name,
      archived: workspace.isArchived,
      created_at: workspace.createdAt.toISOString(),
      created_by: workspace.createdById,
    },
  };
}

/** Null for a pipeline that is not deployed now. */
export function replicasReply(deployment: Deployment | undefined) {
  if (!deployment?.isDeployed) return null;
  const { replicas } = readEngineConfig(deployment.engineConfig);
  const policy = readAutoscalePolicy(deployment.engineConfig);
  return { maximum_replicas: policy?.maximum ?? replicas, prewarmed_replicas: policy?.minimum ?? replicas };
}
