import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Parameters = Type.Object({ topic: Type.String({ minLength: 1, maxLength: 400 }) });
const Span = Type.Object({ start: Type.Integer(), end: Type.Integer() });
const Reply = Type.Object({ partitions: Type.Record(Type.String(), Span) });

/** Where each partition of a topic starts and ends, counted in rows: what a caller starts to read from. */
export function describeTopic(app: Api, { inferenceLogs }: Services): void {
  app.get(
    '/v1/logs/topic/:topic',
    {
      schema: {
        summary: 'Tell the spans of a log topic',
        tags: ['logs'],
        params: Parameters,
        response: { 200: Reply },
      },
    },
    async (request) => ({ partitions: { ...(await inferenceLogs.spans(request.caller, request.params.topic)) } }),
  );
}
