import { isOpenInferencePath } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain';
import type { RequestHead } from '@pademelon/http1';
import type { AccessTable } from './access-table.ts';
import type { ApiDestination } from './api-destination.ts';
import type { Authenticator } from './authenticator.ts';
import { type DeploymentRoute, PodErrand, undeployedSentence } from './deployment-route.ts';
import type { ErrorForm } from './error-answer.ts';
import { Exchange, type ExchangeCaller } from './exchange.ts';
import { apiRequestHead, podRequestHeaders } from './forward-heads.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { chooseRoute, type ModelQuestion, readModelQuestion, readyAnswer, serverAnswer } from './open-inference.ts';
import { requestId } from './request-id.ts';
import type { RouteTable } from './route-table.ts';

export interface RequestRouterOptions {
  readonly routes: RouteTable;
  readonly access: AccessTable;
  readonly authenticator: Authenticator;
  readonly api: ApiDestination;
  readonly metrics: GatewayMetrics;
  readonly isProxyTrusted: boolean;
  /** Told of what is neither the caller's fault nor an expected failure. */
  readonly onFault: (error: unknown) => void;
}

export interface Caller extends ExchangeCaller {
  readonly address: string;
  answerText(exchange: Exchange, contentType: string, text: string): void;
}

const inferencePrefix = '/v1/api/pipelines/infer/';

/** Decides for every request, from its head alone, where it goes and whether it may. */
export class RequestRouter {
  readonly #options: RequestRouterOptions;

  constructor(options: RequestRouterOptions) {
    this.#options = options;
  }

  /** Begins the exchange for a complete head; the caller then hands it the body. */
  begin(head: RequestHead, caller: Caller): Exchange {
    const { target } = head;
    const queryAt = target.indexOf('?');
    const path = collapseSlashes(queryAt < 0 ? target : target.slice(0, queryAt));
    if (path.startsWith(inferencePrefix) && head.method === 'POST') {
      const name = path.slice(inferencePrefix.length);
      if (isRouteName(name))
        return this.#infer(head, caller, { name, query: queryAt < 0 ? '' : target.slice(queryAt) });
    }
    if (isOpenInferencePath(path)) return this.#openInference(head, caller, path);
    if (path === '/healthz' || path === '/gateway/metrics') return this.#answerHere(head, caller, path);
    return this.#forward(head, caller, { path, errorForm: 'api' });
  }

  #infer(head: RequestHead, caller: Caller, { name, query }: { name: string; query: string }): Exchange {
    const { routes, access } = this.#options;
    const id = requestId(head.get('x-request-id'));
    const headers = podRequestHeaders(head, id);
    const exchange = new Exchange({ caller, head, headers, requestId: id, isInference: true });
    const route = routes.find(name);
    const expectsContinue = head.expectsContinue;
    this.#admit(head, exchange, (userId) => {
      // What does not exist, is not deployed or is not the caller's to use is answered alike.
      const isAllowed = route !== null && access.isMember(userId, route.workspaceId);
      if (isAllowed) this.#send(exchange, caller, { route, target: `/infer${query}`, expectsContinue });
      else exchange.fail('not_found', undeployedSentence);
    });
    return exchange;
  }

  #openInference(head: RequestHead, caller: Caller, path: string): Exchange {
    const model = readModelQuestion(head.method, path);
    if (model !== null) return this.#askModel(head, caller, { path, model });
    const answer = serverAnswer(head.method, path);
    if (answer === null) return this.#forward(head, caller, { path, errorForm: 'open' });
    const exchange = this.#ownExchange(head, caller, 'open');
    caller.answerText(exchange, 'application/json', answer);
    return exchange;
  }

  #askModel(head: RequestHead, caller: Caller, { path, model }: { path: string; model: ModelQuestion }): Exchange {
    const isInference = model.action === 'infer';
    const id = requestId(head.get('x-request-id'));
    const headers = isInference ? podRequestHeaders(head, id) : '';
    const exchange = new Exchange({ caller, head, headers, requestId: id, isInference, errorForm: 'open' });
    const expectsContinue = head.expectsContinue;
    this.#admit(head, exchange, (userId) => {
      const route = chooseRoute(model.name, userId, this.#options);
      // The pod sees the path itself: only it knows for sure which version it serves.
      if (isInference) this.#send(exchange, caller, { route, target: path, expectsContinue });
      else caller.answerText(exchange, 'application/json', readyAnswer(model, route));
    });
    return exchange;
  }

  /** Goes on with the id of the user whose token it is; what `proceed` throws is told to the caller. */
  #admit(head: RequestHead, exchange: Exchange, proceed: (userId: string) => void): void {
    const admit = (userId: string | null): void => {
      if (exchange.isOver) return;
      if (userId === null) exchange.fail('unauthenticated', unauthenticatedSentence);
      else this.#guard(exchange, () => proceed(userId));
    };
    const user = this.#options.authenticator.authenticate(head.get('authorization'));
    if (user instanceof Promise) user.then(admit, (error: unknown) => this.#failAuthentication(exchange, error));
    else admit(user);
  }

  #guard(exchange: Exchange, proceed: () => void): void {
    try {
      proceed();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      exchange.fail(error.word, error.message);
    }
  }

  #send(
    exchange: Exchange,
    caller: Caller,
    { route, target, expectsContinue }: { route: DeploymentRoute; target: string; expectsContinue: boolean },
  ): void {
    if (expectsContinue && !exchange.isBodyDone) caller.write('HTTP/1.1 100 Continue\r\n\r\n');
    exchange.start(new PodErrand(route, target));
  }

  #failAuthentication(exchange: Exchange, error: unknown): void {
    if (error instanceof DomainError && error.word === 'unauthenticated') {
      exchange.fail('unauthenticated', error.message);
      return;
    }
    this.#options.onFault(error);
    exchange.fail('not_ready', 'The access token cannot be checked at the moment; try again in a second.');
  }

  #forward(head: RequestHead, caller: Caller, { path, errorForm }: { path: string; errorForm: ErrorForm }): Exchange {
    const id = requestId(head.get('x-request-id'));
    const { api, isProxyTrusted } = this.#options;
    const exchange = new Exchange({
      caller,
      head,
      headers: apiRequestHead(head, { requestId: id, address: caller.address, isProxyTrusted }),
      requestId: id,
      isInference: false,
      errorForm,
    });
    if (isInternal(path)) exchange.fail('not_found', 'There is nothing at this URL.');
    else if (head.method === 'CONNECT' || head.method === 'TRACE')
      exchange.fail('unsupported', 'This method is not supported.');
    else exchange.start(api);
    return exchange;
  }

  #answerHere(head: RequestHead, caller: Caller, path: string): Exchange {
    const { metrics, routes } = this.#options;
    const exchange = this.#ownExchange(head, caller, 'api');
    if (head.method !== 'GET') exchange.fail('not_found', 'There is nothing at this URL for this method.');
    else if (path === '/healthz') caller.answerText(exchange, 'application/json', '{"status":"ok"}');
    else caller.answerText(exchange, 'text/plain; version=0.0.4; charset=utf-8', metrics.render(routes));
    return exchange;
  }

  /** One that is answered without anybody behind us. */
  #ownExchange(head: RequestHead, caller: Caller, errorForm: ErrorForm): Exchange {
    const id = requestId(head.get('x-request-id'));
    return new Exchange({ caller, head, headers: '', requestId: id, isInference: false, errorForm });
  }
}

const unauthenticatedSentence = 'This needs a valid access token; log in and send it as a bearer token.';

/** SDKs that are given a base URL with a slash at its end send two. */
function collapseSlashes(path: string): string {
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
}

/** `<deployment name>/<pipeline name>` and no more. */
function isRouteName(name: string): boolean {
  const slash = name.indexOf('/');
  return slash > 0 && slash < name.length - 1 && name.indexOf('/', slash + 1) < 0;
}

/** The API's internal routes are for hosts, which do not come this way. */
function isInternal(path: string): boolean {
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // Not decodable: the API will refuse it.
  }
  return /^\/+(\.\/+)*internal(\/|$)/i.test(decoded);
}
