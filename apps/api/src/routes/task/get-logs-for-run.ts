import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';

const Body = Type.Object({
  id: Type.String(),
  /** The last so many; 10,000 when it is left out. */
  lines: OrNull(Type.Integer({ minimum: 0, maximum: 100_000 })),
});
const Reply = Type.Object({ logs: Type.Array(Type.String()) });

/** Lines in the order in which they were written, each `<ISO time> <stdout|stderr> F <text>`. */
export function getLogsForRun(app: Api, { runs }: Services): void {
  app.post(
    '/v1/api/task/get_logs_for_run',
    { schema: { summary: "Read the end of a run's log", tags: ['tasks'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => ({ logs: await runs.getLog(caller, body.id, body.lines ?? undefined) }),
  );
}
