import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { waitUntil } from '@pademelon/testing';
import { afterEach, expect, test } from 'vitest';
import {
  answer,
  type BenchOptions,
  GatewayBench,
  inference,
  type RawClient,
  RawUpstream,
} from './gateway-test-bench.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startApi(onRequest: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server: Server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function startRaw(onData: (socket: Socket, upstream: RawUpstream) => void): Promise<RawUpstream> {
  const upstream = await new RawUpstream(onData).listen();
  closers.push(() => upstream.close());
  return upstream;
}

async function startBench(options: BenchOptions): Promise<GatewayBench> {
  const bench = await new GatewayBench(options).listen();
  closers.push(() => bench.stop());
  return bench;
}

/** Sends raw bytes and waits until the gateway has closed the connection. */
async function askUntilClosed(bench: GatewayBench, text: string): Promise<string> {
  const client = bench.client().send(text);
  await waitUntil('the connection is closed', () => client.isClosed);
  return client.received;
}

const get = 'GET /x HTTP/1.1\r\nHost: x\r\n';

test('the API sees who calls, and nothing that only we may say', async () => {
  const seen: IncomingMessage[] = [];
  const apiPort = await startApi((incoming, response) => {
    seen.push(incoming);
    response.end('ok');
  });
  const bench = await startBench({ apiPort });
  const forged =
    'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nForwarded: for=1.2.3.4\r\nx-pademelon-key: k\r\n' +
    'Upgrade: websocket\r\nConnection: close, X-Nominated, Authorization\r\nX-Nominated: 1\r\nTE: trailers\r\n';
  const kept = 'Authorization: Bearer t\r\nCookie: a=b\r\nX-Request-Id: mine\r\n';
  const answered = await askUntilClosed(bench, `GET /a%20b?c=d HTTP/1.1\r\nHost: evil.com\r\n${forged}${kept}\r\n`);
  expect(answered).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/);
  expect(seen[0]!.url).toBe('/a%20b?c=d');
  expect(seen[0]!.headers).toEqual({
    host: 'evil.com',
    authorization: 'Bearer t',
    cookie: 'a=b',
    'x-forwarded-for': '127.0.0.1',
    'x-request-id': 'mine',
    connection: 'keep-alive',
  });
});

test('a proxy that is trusted is believed about its caller', async () => {
  const seen: IncomingMessage[] = [];
  const apiPort = await startApi((incoming, response) => {
    seen.push(incoming);
    response.end();
  });
  const bench = await startBench({ apiPort, isProxyTrusted: true });
  await askUntilClosed(
    bench,
    `${get}X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n`,
  );
  expect(seen[0]!.headers).toMatchObject({ 'x-forwarded-for': '1.2.3.4, 127.0.0.1', 'x-forwarded-proto': 'https' });
});

test('large bodies stream both ways, chunked or not', async () => {
  const apiPort = await startApi((incoming, response) => {
    response.writeHead(
      200,
      incoming.headers['content-length'] ? { 'content-length': incoming.headers['content-length'] } : {},
    );
    incoming.pipe(response);
  });
  const bench = await startBench({ apiPort });
  const piece = Buffer.alloc(2 ** 20, 'z');
  for (const headers of [{ 'content-length': 40 * piece.length }, { 'transfer-encoding': 'chunked' }]) {
    const receivedBytes = await new Promise<number>((resolve, reject) => {
      const outgoing = request(
        { port: bench.port, method: 'POST', path: '/echo', headers, agent: false },
        (response) => {
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
          });
          response.on('end', () => resolve(bytes));
        },
      );
      outgoing.on('error', reject);
      let left = 40;
      const write = (): void => {
        while (left-- > 0) if (!outgoing.write(piece)) return void outgoing.once('drain', write);
        outgoing.end();
      };
      write();
    });
    expect(receivedBytes).toBe(40 * piece.length);
  }
});

test('a caller that does not read slows the API down instead of filling our memory', async () => {
  const source = await startRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 268435456\r\n\r\n');
    const piece = Buffer.alloc(2 ** 20);
    let left = 256;
    const write = (): void => {
      while (left-- > 0) if (!socket.write(piece)) return void socket.once('drain', write);
    };
    write();
  });
  const bench = await startBench({ apiPort: source.port });
  const client = bench.client().send(`${get}\r\n`);
  client.socket.pause();
  // What the kernel's buffers take has left; then nothing moves any more.
  let before = -1;
  await waitUntil(
    'the API is held up',
    async () => {
      const now = source.sockets[0]?.bytesWritten ?? 0;
      const isStill = now > 0 && now === before;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return isStill;
    },
    20_000,
  );
  expect(before).toBeLessThan(64 * 2 ** 20);
  let bytes = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  client.socket.resume();
  await waitUntil('all has arrived', () => bytes > 268_435_456);
});

/** Sends 128 MB in pieces; resolves to how many MB were taken when nothing moves any more. */
async function uploadUntilHeldUp(client: RawClient): Promise<number> {
  client.send('POST /u HTTP/1.1\r\nHost: x\r\nContent-Length: 134217728\r\n\r\n');
  const piece = Buffer.alloc(2 ** 20);
  let taken = 0;
  const write = (): void => {
    client.socket.write(piece, (error) => {
      if (!error && ++taken < 128) write();
    });
  };
  write();
  let before = -1;
  return waitUntil('the caller is held up', async () => {
    const isStill = taken === before && taken > 0;
    before = taken;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return isStill && taken === before && taken;
  });
}

test('an API that does not read slows the caller down, who is not blamed for it', async () => {
  const api = await startRaw((socket) => void socket.pause());
  const bench = await startBench({ apiPort: api.port, timeouts: { bodySpanMs: 50 } });
  const client = bench.client();
  expect(await uploadUntilHeldUp(client)).toBeLessThan(64);
  // Several spans pass in which the caller brings nothing, because nobody reads it.
  for (let span = 0; span < 3; span++) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    bench.watch.look();
  }
  expect(client.received).toBe('');
});

test('an API that ends in the middle of an upload: 502, though it never read the rest', async () => {
  const api = await startRaw((socket) => void socket.pause());
  const bench = await startBench({ apiPort: api.port });
  const client = bench.client();
  await uploadUntilHeldUp(client);
  api.sockets[0]!.end();
  await waitUntil('it is answered', () => client.received.startsWith('HTTP/1.1 502 '));
});

test('pipelined requests are answered in their order, whoever answers them', async () => {
  const apiPort = await startApi((incoming, response) => setTimeout(() => response.end(incoming.url), 30));
  const pod = await startRaw((socket, { received }) => {
    if (received.endsWith(']')) socket.write(answer('[pod]'));
  });
  const bench = await startBench({ apiPort, pods: [pod.port] });
  const first = 'GET /first HTTP/1.1\r\nHost: x\r\n\r\n';
  const health = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  const last = 'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const answered = await askUntilClosed(bench, `${first}${inference()}${health}${inference({ token: '' })}${last}`);
  const order = [...answered.matchAll(/\/first|\[pod\]|"ok"|"code":401|\/last/g)].map(([found]) => found);
  expect(order).toEqual(['/first', '[pod]', '"ok"', '"code":401', '/last']);
});

test('answers without a body, answers that end with the connection and HTTP/1.0 callers', async () => {
  const apiPort = await startApi((incoming, response) => {
    if (incoming.url === '/304') response.writeHead(304).end();
    else if (incoming.url === '/close') response.writeHead(200, { connection: 'close' }).end('until closed');
    else response.end('body');
  });
  const bench = await startBench({ apiPort });
  const many = await askUntilClosed(
    bench,
    `HEAD /head HTTP/1.1\r\nHost: x\r\n\r\nGET /304 HTTP/1.1\r\nHost: x\r\n\r\nGET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
  expect([...many.matchAll(/HTTP\/1\.1 \d+/g)].map(([line]) => line)).toEqual([
    'HTTP/1.1 200',
    'HTTP/1.1 304',
    'HTTP/1.1 200',
  ]);
  expect(many.split('body')).toHaveLength(2);
  const raw = await startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil closed'));
  const closing = await startBench({ apiPort: raw.port });
  expect(await askUntilClosed(closing, `${get}\r\n`)).toMatch(/connection: close\r\n\r\nuntil closed$/);
  const old = await askUntilClosed(bench, 'GET /old HTTP/1.0\r\n\r\n');
  expect(old).toMatch(/\r\n\r\nbody$/);
  expect(old).not.toContain('chunked');
});

test('100 Continue of the API reaches the caller', async () => {
  const apiPort = await startApi((incoming, response) => {
    incoming.resume().on('end', () => response.end('done'));
  });
  const bench = await startBench({ apiPort });
  const client = bench
    .client()
    .send('POST /u HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  await waitUntil('it may go on', () => client.received === 'HTTP/1.1 100 Continue\r\n\r\n');
  client.send('ab');
  await waitUntil('it is answered', () => client.received.includes('done'));
});

test('an answer before the end of the upload reaches the caller, and the connection serves on', async () => {
  const apiPort = await startApi((_, response) => {
    response.writeHead(413).end('too large');
  });
  const bench = await startBench({ apiPort });
  const client = bench.client().send('POST /u HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n');
  await waitUntil('it is answered', () => client.received.includes('too large'));
  client.send('x'.repeat(300_000)).send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitUntil('the next one is answered', () => client.received.endsWith('{"status":"ok"}'));
});

test('an unwanted upload that goes on and on is cut off', async () => {
  const apiPort = await startApi((_, response) => void response.writeHead(413).end('too large'));
  const bench = await startBench({ apiPort, timeouts: { unwantedBodyMs: 200 } });
  const answered = await askUntilClosed(bench, 'POST /u HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\nx');
  expect(answered).toContain('too large');
});

test('an API that is away: 503, an API that breaks off: 502, and an answer that is no HTTP: 502', async () => {
  const away = await startBench({ apiPort: 1 });
  expect(await askUntilClosed(away, `${get}Connection: close\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 503 [\s\S]*"error":"not_ready"/,
  );
  for (const reply of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 'rubbish\r\n\r\n']) {
    const api = await startRaw((socket) => socket.end(reply));
    const bench = await startBench({ apiPort: api.port });
    const answered = await askUntilClosed(bench, `${get}Connection: close\r\n\r\n`);
    expect(answered, reply).toMatch(/^HTTP\/1\.1 502 [\s\S]*"error":"unavailable"[\s\S]*"request_id":"[^"]+"/);
  }
});

test('a caller that leaves during an upload takes its upstream connection along', async () => {
  const api = await startRaw(() => undefined);
  const bench = await startBench({ apiPort: api.port });
  const client = bench.client().send('POST /u HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
  await waitUntil('the API has it', () => api.received.endsWith('abc'));
  client.socket.destroy();
  await waitUntil('the API is told', () => api.sockets[0]!.destroyed);
});

test.each([
  [
    'both framings',
    'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled',
  ],
  ['differing lengths', 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde'],
  ['a space before the colon', 'POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
  ['a bare LF', 'GET /x HTTP/1.1\nHost: x\n\n'],
  ['a request for a proxy', 'GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n'],
])('%s: 400, closed, and nothing reaches the API', async (_, bytes) => {
  const api = await startRaw(() => undefined);
  const bench = await startBench({ apiPort: api.port });
  const answered = await askUntilClosed(bench, bytes);
  expect(answered).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*connection: close\r\n/);
  expect(answered.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(api.received).toBe('');
});

test('a broken chunk during an upload: 400, closed, and the API does not take it for whole', async () => {
  const api = await startRaw(() => undefined);
  const bench = await startBench({ apiPort: api.port });
  const client = bench.client().send('POST /u HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
  await waitUntil('it is on its way', () => api.received.endsWith('ab\r\n'));
  client.send('zz\r\n');
  await waitUntil('it is refused', () => client.isClosed && api.sockets[0]!.destroyed);
  expect(client.received).toMatch(/^HTTP\/1\.1 400 /);
});

test('slow heads and slow bodies are cut off with 408, silent connections without a word', async () => {
  const api = await startRaw(() => undefined);
  const timeouts = { headMs: 100, bodySpanMs: 100, idleMs: 100 };
  const bench = await startBench({ apiPort: api.port, pods: [api.port], timeouts });
  expect(await askUntilClosed(bench, 'GET /x HT')).toMatch(/^HTTP\/1\.1 408 /);
  expect(await askUntilClosed(bench, 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na')).toMatch(
    /^HTTP\/1\.1 408 /,
  );
  expect(await askUntilClosed(bench, inference().slice(0, -1))).toMatch(/^HTTP\/1\.1 408 [\s\S]*"source":"engine"/);
  expect(await askUntilClosed(bench, '')).toBe('');
  expect(api.received).not.toContain('/infer');
});

test.each([
  ['head', 'GET /x HTTP/1.1\r\nX: '],
  ['body', 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n'],
])('a %s that trickles in gets no more time by it', async (_, beginning) => {
  const api = await startRaw(() => undefined);
  const bench = await startBench({ apiPort: api.port, timeouts: { headMs: 1_200, bodySpanMs: 1_200 } });
  const client = bench.client().send(beginning);
  const timer = setInterval(() => client.send('y'), 20);
  closers.push(() => clearInterval(timer));
  await waitUntil('it is refused', () => client.received.startsWith('HTTP/1.1 408 '), 5_000);
});

test('internal routes of the API do not exist from here, however they are written', async () => {
  const api = await startRaw(() => undefined);
  const bench = await startBench({ apiPort: api.port });
  for (const path of ['/internal/artifacts/a', '//internal/x', '/%69nternal/x', '/INTERNAL', '/./internal/x']) {
    expect(await askUntilClosed(bench, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      / 404 /,
    );
  }
  expect(api.received).toBe('');
});

test('metrics count answers by kind without naming anybody’s pipeline', async () => {
  const bench = await startBench({ apiPort: 1 });
  await askUntilClosed(bench, `${get}Connection: close\r\n\r\n`);
  await askUntilClosed(bench, inference({ token: '', headers: 'Connection: close\r\n' }));
  const text = await askUntilClosed(bench, 'GET /gateway/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(text).toContain('gateway_requests_total{kind="api",status="5xx"} 1\n');
  expect(text).toContain('gateway_requests_total{kind="inference",status="4xx"} 1\n');
  expect(text).toContain('gateway_deployments 1\n');
  expect(text).not.toContain('flow');
});

test('a gateway that stops finishes what it has and closes what is idle', async () => {
  const waiting: ServerResponse[] = [];
  const apiPort = await startApi((_, response) => void waiting.push(response));
  const bench = await new GatewayBench({ apiPort }).listen();
  const idle = bench.client();
  const busy = bench.client().send(`${get}\r\n`);
  await waitUntil('the API works on it', () => waiting.length === 1);
  await waitUntil('both are connected', () => bench.metrics.openConnections === 2);
  const stopped = bench.gateway.stop();
  await waitUntil('the idle one is closed', () => idle.isClosed);
  waiting[0]!.end('finished');
  await stopped;
  expect(busy.received).toMatch(/connection: close\r\n[\s\S]*finished/);
});
