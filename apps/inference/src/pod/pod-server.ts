import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import {
  type ErrorWord,
  type InferenceErrorForm,
  inferenceErrorBody,
  inferenceErrorStatus,
  jsonLengthHeader,
  type PodSpec,
  podKeyHeader,
  requestIdHeader,
  sdkGeneration,
} from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import {
  answerWithText,
  DeadlineWatch,
  ProtocolError,
  RequestConnection,
  type RequestHandler,
  type RequestHead,
  Wakefulness,
} from '@pademelon/http1';
import { podSocketName } from '@pademelon/runtime/pod-socket';
import { BatchQueue } from './batching/batch-queue.ts';
import type { BatchingPolicy } from './batching/batching-policy.ts';
import { SideQueue } from './challengers/side-queue.ts';
import { decodeBody } from './codecs/encoded-body.ts';
import { ScriptQueue } from './python/script-queue.ts';
import { PlanCache } from './request-plan.ts';
import type { Queue, QueueOptions } from './work.ts';
import { WorkQueue } from './work-queue.ts';

export interface PodServerOptions extends QueueOptions {
  readonly spec: Pick<PodSpec, 'bindAddress' | 'key' | 'limits'>;
  /** How requests are joined into runs; null runs each by itself. */
  readonly batching: BatchingPolicy | null;
  /** Whether answers may have to wait for what challengers make of their rows. */
  readonly hasChallengers: boolean;
  /** Whether a step of the pipeline runs in another process. */
  readonly hasScripts?: boolean;
}

const errorWordsByStatus: ReadonlyMap<number, ErrorWord> = new Map(
  Object.entries(inferenceErrorStatus).map(([word, status]) => [status, word as ErrorWord]),
);

/** Longer than any number of connections that gateways have at once can keep the pod taking up. */
const takeUpTurns = 2_048;

/** Where requests of the Open Inference Protocol begin. */
const openTarget = '/v2/models/';

/**
 * HTTP for gateways only: `POST /infer` and the Open Inference Protocol's infer with this pod's key. Everything else is
 * refused.
 */
export class PodServer implements RequestHandler {
  readonly #options: PodServerOptions;
  readonly #key: Buffer;
  readonly #plans = new PlanCache();
  readonly #watch = new DeadlineWatch();
  readonly #connections = new Set<RequestConnection>();
  readonly #wakefulness = new Wakefulness(() => this.#connections.size);
  readonly #work: Queue;
  /** On its port, and on its socket for callers on this machine. */
  readonly #servers: readonly [Server, Server];
  #isDraining = false;
  /** Connections and requests that have come. */
  #arrivals = 0;

  constructor(options: PodServerOptions) {
    this.#options = options;
    this.#key = Buffer.from(options.spec.key);
    this.#work = makeQueue(options);
    const makeServer = (): Server => createServer((socket) => this.#accept(socket));
    this.#servers = [makeServer(), makeServer()];
  }

  get counts(): { requests: number; errors: number; queued: number } {
    const { requests, errors, queued } = this.#work;
    return { requests, errors, queued };
  }

  /** Resolves with the port that the system chose. */
  async listen(): Promise<number> {
    const { bindAddress, key } = this.#options.spec;
    const [onPort, onSocket] = this.#servers;
    await listening(onPort, { host: bindAddress, port: 0 });
    const { port } = onPort.address() as AddressInfo;
    const path = podSocketName(key, port);
    if (path !== null) await listening(onSocket, { path });
    return port;
  }

  /** Accepts no more, answers what has come, and resolves when the last connection is closed and all is logged. */
  async drain(): Promise<void> {
    await this.#takeUpWhatHasCome();
    this.#isDraining = true;
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const connection of this.#connections) connection.closeWhenIdle();
    await Promise.all(closed);
    this.#watch.stop();
    await this.#work.settled?.();
  }

  admit(head: RequestHead): number {
    const presented = head.get(podKeyHeader);
    if (presented === undefined || !this.#isKey(presented)) {
      throw new ProtocolError(401, 'This is a pod of the platform; call the pipeline through its inference URL.');
    }
    const { target } = head;
    const isOpen = target.startsWith(openTarget);
    if (head.method !== 'POST' || !(isOpen || target === '/infer' || target.startsWith('/infer?'))) {
      throw new ProtocolError(404, 'A pod serves POST /infer and nothing else.');
    }
    if (!isOpen && head.find('content-encoding') >= 0) {
      throw new ProtocolError(415, 'Encoded bodies are not supported; send the body without content-encoding.');
    }
    return this.#bodyLimit(head);
  }

  handle(head: RequestHead, body: Buffer, connection: RequestConnection): void {
    this.#arrivals += 1;
    const requestId = head.get(requestIdHeader) ?? '';
    const { limits } = this.#options.spec;
    try {
      if (this.#work.queued >= limits.queuedRequests) {
        throw new DomainError(
          'overloaded',
          `${limits.queuedRequests} requests are waiting already; try again in a second.`,
        );
      }
      const plan = this.#plans.get({
        target: head.target,
        contentType: head.get('content-type'),
        accept: head.get('accept'),
        userAgent: head.get('user-agent'),
        jsonLength: head.get(jsonLengthHeader),
      });
      const encoding = plan.open === null ? undefined : head.get('content-encoding');
      const content = encoding === undefined ? body : decodeBody(body, encoding, this.#bodyLimit(head));
      const deadlineAtMs = performance.now() + limits.requestDeadlineMs;
      this.#work.add({ plan, body: content, requestId, connection, deadlineAtMs });
      this.#wakefulness.prolong();
    } catch (error) {
      this.#work.refuse({ error, form: errorForm(head), requestId, connection });
    }
  }

  refuse(error: ProtocolError, head: RequestHead): Buffer {
    const body = inferenceErrorBody(errorForm(head), {
      word: errorWordsByStatus.get(error.status) ?? 'invalid_input',
      message: error.message,
      requestId: head.get(requestIdHeader) ?? '',
    });
    return answerWithText(error.status, 'application/json', body, 'connection: close\r\n');
  }

  /**
   * What came while a model ran is still in the kernel, and callers would lose it with their connections. The event loop
   * accepts one connection a turn and reads from it in the next one: nothing is left when two turns bring nothing.
   */
  async #takeUpWhatHasCome(): Promise<void> {
    for (let turns = 0, seen = -1; seen !== this.#arrivals && turns < takeUpTurns; turns += 2) {
      seen = this.#arrivals;
      await turnOfTheLoop();
      await turnOfTheLoop();
    }
  }

  /** Bytes; of an encoded body also for what it decodes to. */
  #bodyLimit(head: RequestHead): number {
    const { jsonBodyBytes, arrowBodyBytes } = this.#options.spec.limits;
    const isBinary = head.find(jsonLengthHeader) >= 0 || head.get('content-type')?.includes('arrow');
    return isBinary ? arrowBodyBytes : jsonBodyBytes;
  }

  #accept(socket: Socket): void {
    this.#arrivals += 1;
    const connection = new RequestConnection(socket, this, { watch: this.#watch });
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
    if (this.#isDraining) connection.closeWhenIdle();
  }

  #isKey(presented: string): boolean {
    const bytes = Buffer.from(presented, 'latin1');
    return bytes.length === this.#key.length && timingSafeEqual(bytes, this.#key);
  }
}

async function listening(server: Server, where: ListenOptions): Promise<void> {
  server.listen({ ...where, backlog: 1024 });
  await once(server, 'listening');
}

function makeQueue(options: PodServerOptions): Queue {
  if (options.hasScripts) return new ScriptQueue(options);
  if (options.hasChallengers) return new SideQueue(options);
  return options.batching === null ? new WorkQueue(options) : new BatchQueue(options, options.batching);
}

/** The shape in which the caller reads errors. The head may be incomplete. */
function errorForm(head: RequestHead): InferenceErrorForm {
  return head.target.startsWith(openTarget) ? 'open' : sdkGeneration(head.get('user-agent'));
}
