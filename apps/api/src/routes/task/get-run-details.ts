import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { generationOf, RunRecord, toRunRecord } from './task-wire.ts';

/** `pod_id` is what the SDKs call the id of a run here. */
export function getRunDetails(app: Api, { runs }: Services): void {
  app.post(
    '/v1/api/task/get_run_details',
    {
      schema: {
        summary: 'Read a run',
        tags: ['tasks'],
        body: Type.Object({ pod_id: Type.String(), task: Type.String() }),
        response: { 200: RunRecord },
      },
    },
    async (request) => {
      const { pod_id, task } = request.body;
      return toRunRecord(await runs.get(request.caller, pod_id, task), generationOf(request));
    },
  );
}
