import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { generationOf, TaskRecord, toTaskRecord } from './task-wire.ts';

/** Harmless when repeated. */
export function killTask(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/kill',
    {
      schema: {
        summary: 'End a task and its runs',
        tags: ['tasks'],
        body: Type.Object({ id: Type.String() }),
        response: { 202: TaskRecord },
      },
    },
    async (request, reply) => {
      const task = await tasks.kill(request.caller, request.body.id);
      return reply.code(202).send(toTaskRecord(task, generationOf(request)));
    },
  );
}
