import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrchestrationRecord, toOrchestrationRecord } from './orchestration-wire.ts';

/** The 2023 SDK's list: of one workspace, last changed first. */
export function listOrchestrations(app: Api, { orchestrations }: Services): void {
  app.post(
    '/v1/api/orchestration/list',
    {
      schema: {
        summary: "List a workspace's orchestrations",
        tags: ['orchestrations'],
        body: Type.Object({ workspace_id: Type.Integer() }),
        response: { 200: Type.Array(OrchestrationRecord) },
      },
    },
    async ({ caller, body }) => (await orchestrations.list(caller, body.workspace_id)).map(toOrchestrationRecord),
  );
}
