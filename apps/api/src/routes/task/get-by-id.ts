import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { generationOf, TaskRecord, toTaskRecord } from './task-wire.ts';

const Body = Type.Object({ id: Type.String(), run_limit: OrNull(Type.Integer({ minimum: 0, maximum: 100 })) });

export function getTaskById(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/get_by_id',
    {
      schema: {
        summary: 'Read a task with its newest runs',
        tags: ['tasks'],
        body: Body,
        response: { 200: TaskRecord },
      },
    },
    async (request) => {
      const { id, run_limit } = request.body;
      return toTaskRecord(await tasks.get(request.caller, id, run_limit ?? undefined), generationOf(request));
    },
  );
}
