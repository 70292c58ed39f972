import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { PipelineReply, pipelineReply } from './pipeline-reply.ts';

const Body = Type.Object({ pipeline_name: Type.String(), workspace_id: Type.Integer() });

/** The SDK makes "not found in this workspace" of 404. */
export function getPipelineByName(app: Api, { pipelines, workspaces }: Services): void {
  app.post(
    '/v1/api/pipelines/get_pipeline_by_name',
    { schema: { summary: 'Find a pipeline', tags: ['pipelines'], body: Body, response: { 200: PipelineReply } } },
    async ({ caller, body }) => {
      const pipeline = await pipelines.getByName(caller, body.workspace_id, body.pipeline_name);
      return pipelineReply(pipeline, await workspaces.get(caller, pipeline.workspaceId));
    },
  );
}
