import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { ListedPipelineReply, pipelineReply, replicasReply } from './pipeline-reply.ts';

const Body = Type.Object({ workspace_id: OrNull(Type.Integer()), workspace_name: OrNull(Type.String()) });
const Reply = Type.Object({ pipelines: Type.Array(ListedPipelineReply) });

/** Of all the caller's workspaces unless one is named; one that the caller does not see has no pipelines. */
export function listPipelines(app: Api, { pipelines, deployments, workspaces }: Services): void {
  app.post(
    '/v1/api/pipelines/list_pipelines',
    { schema: { summary: 'List pipelines', tags: ['pipelines'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      const found = await pipelines.list(caller, {
        ...(body.workspace_id == null ? {} : { workspaceId: body.workspace_id }),
        ...(body.workspace_name == null ? {} : { workspaceName: body.workspace_name }),
      });
      const ids = found.map((pipeline) => pipeline.id);
      const deploymentOf = new Map(
        (await deployments.ofPipelines(caller, ids)).map((deployment) => [deployment.pipelineId, deployment]),
      );
      const workspaceOf = new Map((await workspaces.list(caller)).map((workspace) => [workspace.id, workspace]));
      return {
        pipelines: found.flatMap((pipeline) => {
          const workspace = workspaceOf.get(pipeline.workspaceId);
          if (workspace === undefined) return [];
          return { ...pipelineReply(pipeline, workspace), deployment: replicasReply(deploymentOf.get(pipeline.id)) };
        }),
      };
    },
  );
}
