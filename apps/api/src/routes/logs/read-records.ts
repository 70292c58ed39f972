import { sdkGeneration } from '@pademelon/contracts';
import { parseTopicName } from '@pademelon/domain';
import { Type } from 'typebox';
import { legacyLogRecords } from '../../dialects/log-dialect.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { RecordsParameters, readDataset, readRecordsQuery } from './log-query.ts';
import { acceptsArrow, arrowFileType, arrowReply, viewPage } from './log-reply.ts';

const Parameters = Type.Object({ topic: Type.String({ minLength: 1, maxLength: 400 }) });
/** `{}` or null for the first page, then the `next` of the page before. */
const Iterator = Type.Union([Type.Record(Type.String(), Type.Integer({ minimum: 0 })), Type.Null()]);

/** One page of a topic: an Arrow file, or JSON texts for the 2023 SDK with ARROW_ENABLED=false. */
export function readRecords(app: Api, { inferenceLogs }: Services): void {
  app.post(
    '/v1/logs/topic/:topic/records',
    {
      schema: {
        summary: 'Read a page of a log topic',
        tags: ['logs'],
        params: Parameters,
        querystring: RecordsParameters,
        body: Iterator,
      },
    },
    async (request, reply) => {
      const { topic } = request.params;
      const query = { ...readRecordsQuery(request.query), iterator: request.body ?? {} };
      const page = await inferenceLogs.read(request.caller, topic, query);
      const dataset = readDataset(request.query);
      if (acceptsArrow(request.headers.accept)) {
        const generation = sdkGeneration(request.headers['user-agent']);
        return reply.type(arrowFileType).send(arrowReply(page, { order: query.order, generation, dataset }));
      }
      const everything = { include: [], exclude: [], separator: '.' };
      const table = viewPage(page, { order: query.order, generation: '2023', dataset: everything });
      const parsed = parseTopicName(topic);
      const pipelineName = parsed?.kind === 'pipeline' ? parsed.pipelineName : '';
      const records = page.rowCount === 0 ? [] : legacyLogRecords(table.columns, table.rowCount, pipelineName);
      return { records, next: page.next, status: page.status };
    },
  );
}
