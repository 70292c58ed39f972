import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { generationOf, TaskRecord, toTaskRecord } from './task-wire.ts';

export function pauseTask(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/pause',
    {
      schema: {
        summary: 'Pause a scheduled or continuous task, or let it go on',
        tags: ['tasks'],
        body: Type.Object({ id: Type.String(), pause: Type.Boolean() }),
        response: { 202: TaskRecord },
      },
    },
    async (request, reply) => {
      const task = await tasks.setPaused(request.caller, request.body.id, request.body.pause);
      return reply.code(202).send(toTaskRecord(task, generationOf(request)));
    },
  );
}
