import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { generationOf, TaskRecord, toTaskRecord } from './task-wire.ts';

const Body = Type.Object({
  workspace_id: OrNull(Type.Integer()),
  /** True: killed tasks too. */
  killed: OrNull(Type.Boolean()),
  orch_id: OrNull(Type.String()),
  orch_sha: OrNull(Type.String({ maxLength: 64 })),
  run_limit: OrNull(Type.Integer({ minimum: 0, maximum: 100 })),
});

/** Last changed first. Without a workspace those of all the caller's workspaces. */
export function listTasks(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/list',
    { schema: { summary: 'List tasks', tags: ['tasks'], body: Body, response: { 200: Type.Array(TaskRecord) } } },
    async (request) => {
      const { body } = request;
      const listed = await tasks.list(request.caller, {
        workspaceId: body.workspace_id ?? undefined,
        orchestrationId: body.orch_id ?? undefined,
        orchestrationSha: body.orch_sha ?? undefined,
        withKilled: body.killed ?? false,
        runLimit: body.run_limit ?? undefined,
      });
      return listed.map((task) => toTaskRecord(task, generationOf(request)));
    },
  );
}
