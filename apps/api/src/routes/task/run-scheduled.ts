import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { orderProperties, readOrder, readSchedule, scheduleProperties } from './task-order.ts';
import { TaskIdReply } from './task-wire.ts';

const Body = Type.Object({ ...orderProperties, ...scheduleProperties });

export function runScheduled(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/run_scheduled',
    {
      schema: {
        summary: 'Run an orchestration on a schedule',
        tags: ['tasks'],
        body: Body,
        response: { 201: TaskIdReply },
      },
    },
    async ({ caller, body }, reply) => {
      const id = await tasks.runScheduled(caller, { ...readOrder(body), ...readSchedule(body) });
      return reply.code(201).send({ id });
    },
  );
}
