import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { readSchedule, scheduleProperties } from './task-order.ts';

const { schedule, time_zone } = scheduleProperties;
const Body = Type.Object({ schedule, time_zone, count: OrNull(Type.Integer({ minimum: 1, maximum: 100 })) });
const Reply = Type.Object({ slots: Type.Array(Type.String()) });

/** The next moments at which a schedule would be due, 5 when no count is given: to look before one starts it. */
export function previewSchedule(app: Api, { tasks }: Services): void {
  app.post(
    '/v1/api/task/preview_schedule',
    { schema: { summary: 'Tell when a schedule is due', tags: ['tasks'], body: Body, response: { 200: Reply } } },
    async ({ body }) => {
      const slots = await tasks.previewSlots(readSchedule(body), body.count ?? 5);
      return { slots: slots.map((slot) => slot.toISOString()) };
    },
  );
}
