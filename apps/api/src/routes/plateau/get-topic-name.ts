import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Object({ pipeline_pk_id: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }) });
const Reply = Type.Object({ topic_name: Type.String() });

/** The SDKs add `-failures` to the name for the rows that failed a check. */
export function getTopicName(app: Api, { inferenceLogs }: Services): void {
  app.post(
    '/v1/api/plateau/get_topic_name',
    { schema: { summary: "Name a pipeline's log topic", tags: ['logs'], body: Body, response: { 200: Reply } } },
    async (request) => ({
      topic_name: await inferenceLogs.topicName(request.caller, request.body.pipeline_pk_id),
    }),
  );
}
