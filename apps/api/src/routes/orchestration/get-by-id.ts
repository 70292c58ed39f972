import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrchestrationRecord, toOrchestrationRecord } from './orchestration-wire.ts';

export function getOrchestrationById(app: Api, { orchestrations }: Services): void {
  app.post(
    '/v1/api/orchestration/get_by_id',
    {
      schema: {
        summary: 'Read an orchestration',
        tags: ['orchestrations'],
        body: Type.Object({ id: Type.String() }),
        response: { 200: OrchestrationRecord },
      },
    },
    async ({ caller, body }) => toOrchestrationRecord(await orchestrations.get(caller, body.id)),
  );
}
