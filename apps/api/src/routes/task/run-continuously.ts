import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { orderProperties, readOrder } from './task-order.ts';
import { TaskIdReply } from './task-wire.ts';

/** A run that ends is followed by the next one, for as long as the task is neither paused nor killed. */
export function runContinuously(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/run_continuously',
    {
      schema: {
        summary: 'Keep an orchestration running',
        tags: ['tasks'],
        body: Type.Object(orderProperties),
        response: { 201: TaskIdReply },
      },
    },
    async ({ caller, body }, reply) =>
      reply.code(201).send({ id: await tasks.runContinuously(caller, readOrder(body)) }),
  );
}
