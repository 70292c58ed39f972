import { lookup } from 'node:dns/promises';
import { rmSync } from 'node:fs';
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { type EgressPolicy, mayConnect } from './egress-policy.ts';

/** The way out of one jail. Closing it ends every connection of the run. */
export interface EgressProxy {
  readonly socketPath: string;
  close(): Promise<void>;
}

export interface EgressOptions {
  readonly socketPath: string;
  readonly policy: EgressPolicy;
  /** Told of each refusal, for the run's log. */
  readonly onRefused: (host: string, port: number) => void;
  readonly maxConnections?: number;
  /** Resolves a name to addresses; DNS by default. */
  readonly resolve?: (host: string) => Promise<string[]>;
  /** Connects to an address that the policy lets, null when it does not answer; by TCP by default. */
  readonly connect?: (address: string, port: number) => Promise<Socket | null>;
}

const maxHeadBytes = 16 * 1024;
const connectTimeoutMs = 10_000;
const headTimeoutMs = 10_000;

/**
 * Listens on a Unix socket that is mounted into the jail. A connection begins with a line: `TCP <host>:<port>` for a
 * forward that the worker itself set up, or `PROXY`, after which the run speaks HTTP proxy protocol (CONNECT or
 * absolute URLs). Names are resolved here, once, and the connection goes to the very address that was checked, so a
 * name cannot change its mind in between.
 */
export async function startEgressProxy(options: EgressOptions): Promise<EgressProxy> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ pauseOnConnect: false, allowHalfOpen: true }, (inner) => {
    if (sockets.size >= 2 * (options.maxConnections ?? 256)) {
      inner.destroy();
      return;
    }
    track(sockets, inner);
    serve(inner, sockets, options).catch(() => inner.destroy());
  });
  rmSync(options.socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.socketPath, resolve);
  });
  return {
    socketPath: options.socketPath,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(options.socketPath, { force: true });
    },
  };
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => socket.destroy());
}

async function serve(inner: Socket, sockets: Set<Socket>, options: EgressOptions): Promise<void> {
  const first = await readUntil(inner, '\n');
  if (first === null) return;
  if (first.head === 'PROXY') return serveProxy(inner, sockets, options);
  const target = first.head.startsWith('TCP ') ? parseAuthority(first.head.slice(4)) : null;
  const outer = target && (await open(target, sockets, options));
  if (!outer) return void inner.destroy();
  join(inner, outer);
}

async function serveProxy(inner: Socket, sockets: Set<Socket>, options: EgressOptions): Promise<void> {
  const request = await readUntil(inner, '\r\n\r\n');
  if (request === null) return;
  const [line = '', ...headers] = request.head.split('\r\n');
  const [method = '', url = '', version = ''] = line.split(' ');
  const target = method === 'CONNECT' ? parseAuthority(url) : parseUrl(url);
  if (target === null || !/^HTTP\/1\.[01]$/.test(version))
    return answer(inner, 400, 'The proxy does not understand this request.');
  const outer = await open(target, sockets, options);
  if (outer === null) {
    return answer(
      inner,
      403,
      `Runs may not reach ${target.host}:${target.port}. Operators can allow it with PADEMELON_RUN_ALLOW.`,
    );
  }
  if (method === 'CONNECT') {
    inner.write('HTTP/1.1 200 Connection established\r\n\r\n');
  } else {
    // One request a connection: a second one on it could name another host, which nobody would have checked.
    const kept = headers.filter((header) => !/^(proxy-|connection:|keep-alive:)/i.test(header));
    outer.write(`${method} ${target.path} ${version}\r\n${[...kept, 'connection: close'].join('\r\n')}\r\n\r\n`);
  }
  join(inner, outer);
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

function parseAuthority(text: string): Target | null {
  const match = /^(\[[0-9a-f:.]+\]|[^:\s/@]+):(\d{1,5})$/i.exec(text.trim());
  if (!match || Number(match[2]) > 65_535) return null;
  return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port: Number(match[2]), path: '' };
}

function parseUrl(text: string): Target | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'http:' || url.username !== '' || url.password !== '') return null;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 80),
    path: `${url.pathname}${url.search}`,
  };
}

/** Connects to the target if the policy lets it; null when it is refused or does not answer. */
async function open(target: Target, sockets: Set<Socket>, options: EgressOptions): Promise<Socket | null> {
  const addresses = await resolveHost(target.host, options);
  for (const address of addresses) {
    if (!mayConnect(options.policy, target, address)) continue;
    const socket = await (options.connect ?? connectTo)(address, target.port);
    if (socket === null) continue;
    track(sockets, socket);
    return socket;
  }
  options.onRefused(target.host, target.port);
  return null;
}

async function resolveHost(host: string, options: EgressOptions): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const resolve =
    options.resolve ?? (async (name) => (await lookup(name, { all: true })).map(({ address }) => address));
  return resolve(host).catch(() => []);
}

function connectTo(host: string, port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const fail = (): void => {
      socket.destroy();
      resolve(null);
    };
    socket.setTimeout(connectTimeoutMs, fail);
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', fail);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function join(inner: Socket, outer: Socket): void {
  inner.pipe(outer);
  outer.pipe(inner);
  const end = (): void => {
    inner.destroy();
    outer.destroy();
  };
  inner.once('close', end);
  outer.once('close', end);
}

function answer(inner: Socket, status: number, text: string): void {
  const reason = status === 403 ? 'Forbidden' : 'Bad Request';
  inner.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

/** Reads up to the mark and leaves what follows in the socket; null when the other side ended or said too much. */
function readUntil(socket: Socket, mark: string): Promise<{ head: string } | null> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), headTimeoutMs);
    const finish = (result: { head: string } | null): void => {
      clearTimeout(timer);
      socket.removeListener('readable', read);
      socket.removeListener('close', fail);
      resolve(result);
    };
    const fail = (): void => finish(null);
    const read = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        received = Buffer.concat([received, chunk]);
        const at = received.indexOf(mark);
        if (at >= 0) {
          const rest = received.subarray(at + mark.length);
          socket.removeListener('readable', read);
          if (rest.length > 0) socket.unshift(rest);
          finish({ head: received.toString('latin1', 0, at) });
          return;
        }
        if (received.length > maxHeadBytes) {
          socket.destroy();
          finish(null);
          return;
        }
      }
    };
    socket.on('readable', read);
    socket.once('close', fail);
    read();
  });
}
