import { DomainError, type LogIterator, pipelineTopicName } from '@pademelon/domain';
import { type Static, Type } from 'typebox';
import { generationOfGetLogs } from '../../dialects/log-dialect.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { DatasetParameters, readDataset, readTime } from '../logs/log-query.ts';
import { acceptsArrow, arrowFileType, arrowReply, jsonRecords } from '../logs/log-reply.ts';

const Name = Type.String({ minLength: 1, maxLength: 255 });
const Optional = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) =>
  Type.Optional(Type.Union([type, Type.Null()]));

/** The 2023 generation calls the pipeline's name `pipeline_id` and writes `Asc`. */
const Body = Type.Object({
  pipeline_id: Type.Optional(Name),
  pipeline_name: Type.Optional(Name),
  workspace_id: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }),
  order: Optional(Type.String({ pattern: '^([Aa]sc|[Dd]esc)$' })),
  start_time: Optional(Type.String()),
  end_time: Optional(Type.String()),
  cursor: Optional(Type.String({ maxLength: 10_000 })),
  page_size: Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
});

const standardPageRows = 1_000;

/** A page of a pipeline's log for callers without the SDK; the way on is in the headers `x-iteration-…`. */
export function getLogs(app: Api, { inferenceLogs }: Services): void {
  app.post(
    '/v1/api/pipelines/get_logs',
    {
      schema: {
        summary: "Read a page of a pipeline's log",
        tags: ['pipelines', 'logs'],
        body: Body,
        querystring: DatasetParameters,
      },
    },
    async (request, reply) => {
      const { body, headers } = request;
      const query = readQuery(body);
      const name = body.pipeline_name ?? body.pipeline_id;
      if (name === undefined) throw new DomainError('invalid_input', 'Say which pipeline: pipeline_name is missing.');
      const page = await inferenceLogs.read(request.caller, pipelineTopicName(body.workspace_id, name), query);
      const generation = generationOfGetLogs(body, headers['user-agent']);
      const view = { order: query.order, generation, dataset: readDataset(request.query) };
      reply.header('x-iteration-status', page.status);
      if (page.next !== null) reply.header('x-iteration-cursor', writeCursor(page.next));
      if (acceptsArrow(headers.accept)) return reply.type(arrowFileType).send(arrowReply(page, view));
      // As bytes: Fastify would rewrite the type of a text.
      const records = Buffer.from(JSON.stringify(jsonRecords(page, view)));
      return reply.type('application/json; format=pandas-records').send(records);
    },
  );
}

/** Newest first, but a window is read from its beginning. */
function readQuery(body: Static<typeof Body>) {
  const startMs = readTime('start_time', body.start_time);
  const endMs = readTime('end_time', body.end_time);
  const standardOrder = startMs === null && endMs === null ? 'desc' : 'asc';
  const order = (body.order?.toLowerCase() as 'asc' | 'desc' | undefined) ?? standardOrder;
  return { iterator: readCursor(body.cursor), order, limit: body.page_size ?? standardPageRows, startMs, endMs };
}

function writeCursor(iterator: LogIterator): string {
  return Buffer.from(JSON.stringify(iterator)).toString('base64url');
}

function readCursor(cursor: string | null | undefined): LogIterator {
  if (!cursor) return {};
  try {
    const iterator: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof iterator === 'object' && iterator !== null) return { ...iterator } as LogIterator;
  } catch {
    // Told below, like every other text that is not a cursor of ours.
  }
  throw new DomainError('invalid_input', 'The cursor is not one that this path has answered in x-iteration-cursor.');
}
