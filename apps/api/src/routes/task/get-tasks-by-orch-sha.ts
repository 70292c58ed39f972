import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ sha: Type.String({ maxLength: 64 }) });
const Reply = Type.Object({ ids: Type.Array(Type.String()) });

/** Killed ones too: the SDK asks for each and shows what it is. */
export function getTasksByOrchSha(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/get_tasks_by_orch_sha',
    { schema: { summary: 'List the tasks of an uploaded zip', tags: ['tasks'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      const listed = await tasks.list(caller, { orchestrationSha: body.sha, withKilled: true, runLimit: 0 });
      return { ids: listed.map(({ id }) => id) };
    },
  );
}
