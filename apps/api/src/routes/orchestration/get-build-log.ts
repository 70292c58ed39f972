import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

/** What packaging has said so far, line by line. */
export function getBuildLog(app: Api, { orchestrations }: Services): void {
  app.post(
    '/v1/api/orchestration/get_build_log',
    {
      schema: {
        summary: "Read an orchestration's build log",
        tags: ['orchestrations'],
        body: Type.Object({ id: Type.String() }),
        response: { 200: Type.Object({ logs: Type.Array(Type.String()) }) },
      },
    },
    async ({ caller, body }) => ({ logs: await orchestrations.getBuildLog(caller, body.id) }),
  );
}
