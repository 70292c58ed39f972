import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { AccessUserRow, ReadyPodRow, RouteRow } from '@pademelon/database/sql';
import { DomainError } from '@pademelon/domain';
import { DeadlineWatch } from '@pademelon/http1';
import { AccessTable } from './access-table.ts';
import { ApiDestination } from './api-destination.ts';
import { AttemptTable } from './attempt-table.ts';
import { Authenticator } from './authenticator.ts';
import { type ClientTimeouts, defaultClientTimeouts } from './client-connection.ts';
import type { DeploymentLimits } from './deployment-limits.ts';
import { Gateway } from './gateway.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { RequestRouter } from './request-router.ts';
import { RouteTable } from './route-table.ts';
import { TokenCache } from './token-cache.ts';

/** An upstream that hands every connection's socket to the test. */
export class RawUpstream {
  readonly server: Server;
  readonly sockets: Socket[] = [];
  /** All bytes that arrived, of all connections in one. */
  received = '';

  constructor(onData: (socket: Socket, upstream: RawUpstream) => void) {
    this.server = createServer({ noDelay: true }, (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        this.received += bytes.toString('latin1');
        onData(socket, this);
      });
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** A complete small answer. */
export function answer(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** A caller's connection: what is sent is raw, what came back is collected. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  isClosed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }
}

export const inferencePath = '/v1/api/pipelines/infer/flow-7/flow';

/** An inference as a caller sends it; the token names its user. */
export function inference(options: { token?: string; path?: string; headers?: string; body?: string } = {}): string {
  const { token = 'anna', path = inferencePath, headers = '', body = '[{"tensor":[1]}]' } = options;
  const authorization = token === '' ? '' : `Authorization: Bearer ${token}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${authorization}${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const users: readonly AccessUserRow[] = [
  { id: 'anna', isEnabled: true, tokensValidAfterMs: 0, workspaceIds: [1] },
  { id: 'ben', isEnabled: true, tokensValidAfterMs: 0, workspaceIds: [2] },
  { id: 'carl', isEnabled: false, tokensValidAfterMs: 0, workspaceIds: [1] },
  { id: 'dora', isEnabled: true, tokensValidAfterMs: 5_000, workspaceIds: [1] },
];

/** The deployment that `inferencePath` leads to, in the workspace that Anna is a member of. */
export function routeRow(differences: Partial<RouteRow> = {}): RouteRow {
  return {
    deploymentId: 7,
    deployId: 'flow',
    pipelineName: 'flow',
    pipelineVersion: 'version-1',
    workspaceId: 1,
    workspaceName: 'team',
    revision: 1,
    engineConfig: {},
    scaledReplicas: null,
    pods: [],
    failures: [],
    ...differences,
  };
}

export const testLimits: DeploymentLimits = {
  perPod: 8,
  queued: 8,
  queueWaitMs: 10_000,
  requestDeadlineMs: 60_000,
  runDeadlineMs: 30_000,
};

export interface BenchOptions {
  /** Ports of ready pods of the one deployment. */
  readonly pods?: readonly number[];
  readonly apiPort?: number;
  readonly isAuthOff?: boolean;
  readonly isProxyTrusted?: boolean;
  readonly limits?: Partial<DeploymentLimits>;
  readonly timeouts?: Partial<ClientTimeouts>;
}

/** A gateway in this process with its tables filled by hand; tokens are the names of their users, issued at 1,000 ms. */
export class GatewayBench {
  readonly watch = new DeadlineWatch();
  readonly metrics = new GatewayMetrics();
  readonly access = new AccessTable();
  readonly routes: RouteTable;
  readonly gateway: Gateway;
  port = 0;
  verifications = 0;
  nowMs = 2_000;

  constructor(options: BenchOptions = {}) {
    const { watch, metrics, access } = this;
    this.routes = new RouteTable({
      watch,
      limits: { ...testLimits, ...options.limits },
      podKey: (podId) => `key-of-${podId}`,
    });
    access.replace(users);
    this.setPods(options.pods ?? []);
    const router = new RequestRouter({
      routes: this.routes,
      access,
      metrics,
      authenticator: new Authenticator({
        access,
        tokens: new TokenCache(),
        attempts: new AttemptTable(async () => []),
        isAuthOff: options.isAuthOff ?? false,
        now: () => this.nowMs,
        verify: async (token) => {
          this.verifications++;
          if (token === 'forged') throw new DomainError('unauthenticated', 'The access token is not ours.');
          if (token === 'unlucky') throw new Error('no database');
          return { userId: token, issuedAtMs: 1_000, expiresAtMs: 10_000 };
        },
      }),
      api: new ApiDestination({ address: '127.0.0.1', port: options.apiPort ?? 1, watch }),
      isProxyTrusted: options.isProxyTrusted ?? false,
      onFault: () => undefined,
    });
    const timeouts = { ...defaultClientTimeouts, ...options.timeouts };
    this.gateway = new Gateway({ router, watch, metrics, timeouts, maxConnections: 1_000 });
  }

  setPods(ports: readonly number[]): void {
    const pods: ReadyPodRow[] = ports.map((port, i) => ({ id: `pod${i}`, revision: 1, address: '127.0.0.1', port }));
    const engineConfig = { engine: { replicas: ports.length } };
    this.routes.replace([routeRow({ engineConfig, pods })]);
  }

  async listen(): Promise<this> {
    this.port = await this.gateway.listen('127.0.0.1', 0);
    return this;
  }

  client(): RawClient {
    return new RawClient(this.port);
  }

  async stop(): Promise<void> {
    await this.gateway.stop(100);
    this.routes.replace([]);
    this.watch.stop();
  }
}
