import type { ErrorBody, ErrorWord } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { StatusOverrides } from '../dialects/error-statuses.ts';
import { errorText } from '../dialects/error-text.ts';
import { reasonPhrase } from '../dialects/reason-phrase.ts';

/** The HTTP status of each error word. A route whose SDK needs another one says so in its `config.statuses`. */
export const errorStatuses: Record<ErrorWord, number> = {
  invalid_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  unsupported: 422,
  model_rejected: 422,
  invalid_archive: 400,
  not_ready: 503,
  deployment_failed: 500,
  overloaded: 429,
  deadline_exceeded: 504,
  unavailable: 503,
  internal: 500,
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Statuses that the SDKs need on this route instead of the true ones: they show the text of an error only for the
     * few statuses that they know. See dialects/error-statuses.ts.
     */
    statuses?: StatusOverrides | ((userAgent: string | undefined) => StatusOverrides);
    /** An SDK shows of this route's errors only the reason phrase. See dialects/reason-phrase.ts. */
    isReasonShown?: boolean;
  }
}

/** Turns every failure into the one error body; what is not expected is logged whole and told in one neutral sentence. */
export const errorHandler = fastifyPlugin(async (app: FastifyInstance) => {
  app.setErrorHandler((error: FastifyError | DomainError, request, reply) => {
    const { word, message, details } = describeFailure(error);
    if (word === 'internal') request.log.error({ err: error }, 'request failed');
    return sendError(request, reply, { word, message, details });
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(request, reply, {
      word: 'not_found',
      message: `There is no ${request.method} ${request.url.split('?')[0]}; the API is described at /v1/api/docs.`,
    }),
  );
});

export interface Failure {
  readonly word: ErrorWord;
  readonly message: string;
  readonly details?: unknown;
}

function sendError(request: FastifyRequest, reply: FastifyReply, failure: Failure): FastifyReply {
  const userAgent = request.headers['user-agent'];
  const overrides = request.routeOptions.config?.statuses;
  const reason = request.routeOptions.config?.isReasonShown ? reasonPhrase(failure.message, userAgent) : null;
  if (reason !== null) reply.raw.statusMessage = reason;
  const own = typeof overrides === 'function' ? overrides(userAgent) : overrides;
  const status = own?.[failure.word] ?? errorStatuses[failure.word];
  const body: ErrorBody = {
    msg: failure.message,
    code: status,
    error: errorText(failure, userAgent),
    ...(failure.details === undefined ? {} : { details: failure.details }),
    request_id: request.id,
  };
  if (status === 503 || status === 429) reply.header('retry-after', '1');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send(body);
}

/** What to tell the caller of a failure, whatever was thrown; `internal` failures are to be logged. */
export function describeFailure(error: Error & Partial<FastifyError>): Failure {
  if (error instanceof DomainError) return { word: error.word, message: error.message, details: error.details };
  if (error.validation) return { word: 'invalid_input', message: `The request is not valid: ${error.message}.` };
  if (error.statusCode === 413) return { word: 'too_large', message: 'The request body is too large.' };
  if (error.statusCode === 415) {
    return { word: 'unsupported_media_type', message: 'The Content-Type is not one that this path reads.' };
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return { word: 'invalid_input', message: error.message };
  }
  if (isDatabaseAway(error)) {
    return { word: 'unavailable', message: 'The database does not answer at the moment; try again shortly.' };
  }
  return { word: 'internal', message: 'Something went wrong on the server; its log has the details.' };
}

/** How Prisma carries the word of the database when it has none of its own for it. */
interface DriverFault {
  readonly originalCode?: string;
}

const awayCodes = /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|57P0[1-3]|08\w{3}|P1001|P1002|P1008|P1017|P2024)$/;

/** Connection failures of pg and Prisma, wherever in the chain of causes they are. */
export function isDatabaseAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code = '', meta } = cause as { code?: string; meta?: { driverAdapterError?: { cause?: DriverFault } } };
    const codes = [code, meta?.driverAdapterError?.cause?.originalCode ?? ''];
    if (codes.some((each) => awayCodes.test(each))) return true;
    if (/timeout exceeded when trying to connect|Connection terminated/i.test(cause.message)) return true;
  }
  return false;
}
