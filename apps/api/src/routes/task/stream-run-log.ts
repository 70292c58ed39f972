import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Caller, DomainError, type LogLine, type RunService } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Query = Type.Object({ from: Type.Optional(Type.String({ pattern: '^\\d{1,10}$' })) });

const lookMs = 300;
/** So often a comment tells proxies and clients that the stream is alive. */
const aliveMs = 15_000;
/** Then the client comes again, with its token, from where it was. */
const maxStreamMs = 3_600_000;
const maxStreams = 200;

/**
 * A run's log as server-sent events while it is written: `line` with the line's number as id, then `end` with how the run
 * ended. A client that was cut off goes on by Last-Event-ID, or anybody from a line number by `from`.
 */
export function streamRunLog(app: Api, { runs }: Services): void {
  const closing = new AbortController();
  let streams = 0;
  // Streams are connections that would keep the server from closing.
  app.addHook('preClose', async () => closing.abort());

  async function* follow(caller: Caller, runId: string, from: number): AsyncGenerator<string> {
    streams++;
    try {
      yield* toEvents(runs, { caller, runId, from, signal: closing.signal });
    } finally {
      streams--;
    }
  }

  app.get(
    '/v1/api/task/runs/:id/logs/stream',
    {
      schema: {
        summary: "Follow a run's log (server-sent events)",
        tags: ['tasks'],
        params: Type.Object({ id: Type.String() }),
        querystring: Query,
      },
    },
    async (request, reply) => {
      const { caller, params, query } = request;
      const from = readStart(request.headers['last-event-id'], query.from);
      await runs.get(caller, params.id);
      if (streams >= maxStreams) {
        throw new DomainError('overloaded', 'Too many logs are being followed at the moment; try again shortly.');
      }
      const events = Readable.from(follow(caller, params.id, from), { objectMode: true, highWaterMark: 1 });
      return reply
        .headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
        .send(events);
    },
  );
}

function readStart(lastEventId: unknown, from: string | undefined): number {
  if (typeof lastEventId === 'string' && /^\d{1,10}$/.test(lastEventId)) return Number(lastEventId) + 1;
  return Number(from ?? 0);
}

async function* toEvents(
  runs: RunService,
  options: { caller: Caller; runId: string; from: number; signal: AbortSignal },
): AsyncGenerator<string> {
  const { caller, runId, from, signal } = options;
  const endsAtMs = performance.now() + maxStreamMs;
  let toldAtMs = performance.now();
  yield ': the log follows\n\n';
  for await (const event of runs.followLog(caller, runId, from)) {
    if (event.kind === 'lines') {
      yield event.lines.map(toEvent).join('');
      toldAtMs = performance.now();
    } else if (event.kind === 'end') {
      const { state, reason, reasonText, exitCode } = event.run;
      yield `event: end\ndata: ${JSON.stringify({ state, reason, reason_text: reasonText, exit_code: exitCode })}\n\n`;
    } else {
      if (performance.now() > endsAtMs) return;
      if (performance.now() - toldAtMs > aliveMs) {
        yield ': alive\n\n';
        toldAtMs = performance.now();
      }
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted) return;
  }
}

/** A lone carriage return ends a line of the event stream, but not one of the log. */
function toEvent({ number, text }: LogLine): string {
  return `id: ${number}\nevent: line\ndata: ${text.replaceAll('\r', '\\r')}\n\n`;
}
