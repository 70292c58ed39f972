import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { orderProperties, readOrder } from './task-order.ts';
import { TaskIdReply } from './task-wire.ts';

/** The SDKs show the body of a refusal as it is. */
export function runOnce(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/run_once',
    {
      schema: {
        summary: 'Run an orchestration once',
        tags: ['tasks'],
        body: Type.Object(orderProperties),
        response: { 201: TaskIdReply },
      },
    },
    async ({ caller, body }, reply) => reply.code(201).send({ id: await tasks.runOnce(caller, readOrder(body)) }),
  );
}
