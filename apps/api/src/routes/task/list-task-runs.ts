import { Type } from 'typebox';
import { statesOfWord } from '../../dialects/run-words.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { generationOf, RunRecord, toRunRecord } from './task-wire.ts';

const Body = Type.Object({
  task_id: Type.String(),
  /** 10 when it is left out. */
  limit: OrNull(Type.Integer({ minimum: 0, maximum: 1_000 })),
  status: OrNull(Type.Enum(['all', 'running', 'success', 'failure', 'timed_out', 'killed', 'unknown'])),
});

/** Newest first. */
export function listTaskRuns(app: Api, { runs }: Services): void {
  app.post(
    '/v1/api/task/list_task_runs',
    {
      schema: { summary: "List a task's runs", tags: ['tasks'], body: Body, response: { 200: Type.Array(RunRecord) } },
    },
    async (request) => {
      const { task_id, limit, status } = request.body;
      const generation = generationOf(request);
      const filter = { states: statesOfWord(status, generation), limit: limit ?? undefined };
      const listed = await runs.list(request.caller, task_id, filter);
      return listed.map((run) => toRunRecord(run, generation));
    },
  );
}
