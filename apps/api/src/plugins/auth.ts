import { type Caller, DomainError } from '@pademelon/domain';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { RequestBudget } from './request-budget.ts';

/** Tells who sends a request from its Authorization header. Throws `unauthenticated`. */
export interface Authenticator {
  authenticate(authorization: string | undefined): Promise<Caller>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route inside the authenticated scope. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** Polled by the SDKs while they wait: does not count among a user's requests. */
    isUnmetered?: boolean;
  }
}

export interface AuthOptions {
  readonly authenticator: Authenticator;
  readonly budget: RequestBudget;
}

/**
 * Every route of the scope in which this is registered needs a caller, who may not send too many requests; both is told
 * before the body is read.
 */
export const auth = fastifyPlugin(async (app: FastifyInstance, { authenticator, budget }: AuthOptions) => {
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request: FastifyRequest) => {
    request.caller = await authenticator.authenticate(request.headers.authorization);
    if (!request.routeOptions.config.isUnmetered && !budget.take(request.caller.userId)) {
      throw new DomainError(
        'overloaded',
        'You have sent more requests than a user may in a minute; try again shortly.',
      );
    }
  });
});
