import type { Socket } from 'node:net';
import { waitUntil } from '@pademelon/testing';
import { afterEach, expect, test } from 'vitest';
import {
  answer,
  type BenchOptions,
  GatewayBench,
  inference,
  inferencePath,
  RawUpstream,
  routeRow,
} from './gateway-test-bench.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startPod(onData: (socket: Socket, pod: RawUpstream) => void): Promise<RawUpstream> {
  const pod = await new RawUpstream(onData).listen();
  closers.push(() => pod.close());
  return pod;
}

async function startBench(options: BenchOptions): Promise<GatewayBench> {
  const bench = await new GatewayBench(options).listen();
  closers.push(() => bench.stop());
  return bench;
}

/** Answers every request that has a body ending in `]`. */
function answering(body = '[{"out":1}]') {
  return (socket: Socket, pod: RawUpstream): void => {
    if (pod.received.endsWith(']')) socket.write(answer(body));
  };
}

/** Sends one request on a connection of its own; resolves to all that came back once it ends with `end`. */
async function ask(bench: GatewayBench, request: string, end = /\r\n\r\n[\s\S]*[}\]]$/): Promise<string> {
  const client = bench.client().send(request);
  return waitUntil('an answer is there', () => end.test(client.received) && client.received);
}

test('a pod sees its own request line, its key and the headers it needs, and the body byte for byte', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({ pods: [pod.port] });
  const headers =
    'Content-Type: application/json; format=pandas-records\r\nAccept: x/y\r\nUser-Agent: me\r\nX-Request-Id: r-1\r\n' +
    'Cookie: secret\r\nx-pademelon-key: stolen\r\nConnection: keep-alive\r\n';
  const answered = await ask(bench, inference({ path: `${inferencePath}?dataset%5B%5D=*&a=b`, headers }));
  expect(answered).toBe(answer('[{"out":1}]'));
  expect(pod.received).toBe(
    'POST /infer?dataset%5B%5D=*&a=b HTTP/1.1\r\nx-pademelon-key: key-of-pod0\r\nhost: pod\r\nx-request-id: r-1\r\n' +
      'content-type: application/json; format=pandas-records\r\naccept: x/y\r\nuser-agent: me\r\n' +
      'content-length: 16\r\n\r\n[{"tensor":[1]}]',
  );
});

test('slashes that are doubled at the join of a base URL do not matter', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({ pods: [pod.port] });
  expect(await ask(bench, inference({ path: `/${inferencePath.replace('/infer/', '//infer/')}` }))).toContain('200 OK');
});

test('without a valid token of an enabled user: 401', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({ pods: [pod.port] });
  for (const token of ['', 'forged', 'carl', 'dora', 'nobody']) {
    const answered = await ask(bench, inference({ token }));
    expect(answered, token).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[\s\S]*"code":401/);
  }
  expect(await ask(bench, inference({ token: '', headers: 'Authorization: Basic YTpi\r\n' }))).toContain(' 401 ');
  expect(await ask(bench, inference({ token: 'unlucky' }))).toContain(' 503 ');
  expect(pod.received).toBe('');
});

test('not a member, unknown and not deployed are answered alike', async () => {
  const bench = await startBench({ pods: [9] });
  const foreign = await ask(bench, inference({ token: 'ben', headers: 'X-Request-Id: r\r\n' }));
  const unknown = await ask(bench, inference({ path: `${inferencePath}x`, headers: 'X-Request-Id: r\r\n' }));
  expect(foreign).toMatch(/^HTTP\/1\.1 404 /);
  expect(unknown).toBe(foreign);
});

test('the 2023 SDK gets errors as a list', async () => {
  const bench = await startBench({});
  const answered = await ask(bench, inference({ token: 'ben', headers: 'User-Agent: python-requests/2.25.1\r\n' }));
  expect(JSON.parse(answered.split('\r\n\r\n')[1]!)).toEqual([
    { error: 'There is no deployed pipeline at this URL that you can use.', error_type: 'not_found' },
  ]);
});

test('deployed without a ready pod: 503 that asks to come back, and served once one is ready', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({ pods: [] });
  expect(await ask(bench, inference())).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n/);
  bench.setPods([pod.port]);
  expect(await ask(bench, inference())).toContain('200 OK');
});

test('a failed deployment: 500 with the reason, which no SDK repeats, and served once a pod is ready', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({});
  const failures = ['Model "x" cannot be loaded.', 'The pod used 9 MiB.'];
  bench.routes.replace([routeRow({ failures })]);
  const answered = await ask(bench, inference());
  expect(answered).toMatch(/^HTTP\/1\.1 500 /);
  expect(answered).not.toMatch(/retry-after/i);
  const sentence =
    'The deployment of this pipeline failed; correct the model and deploy it again, or undeploy it. ' +
    'The reason: Model "x" cannot be loaded. The pod used 9 MiB.';
  expect(JSON.parse(answered.split('\r\n\r\n')[1]!)).toMatchObject({ code: 500, error: sentence, msg: sentence });
  const older = await ask(bench, inference({ headers: 'User-Agent: python-requests/2.25.1\r\n' }));
  expect(JSON.parse(older.split('\r\n\r\n')[1]!)).toEqual([{ error: sentence, error_type: 'deployment_failed' }]);
  const pods = [{ id: 'pod', revision: 1, address: '127.0.0.1', port: pod.port }];
  bench.routes.replace([routeRow({ failures, pods })]);
  expect(await ask(bench, inference())).toContain('200 OK');
});

test.each([
  ['starts again', [], ' 503 '],
  ['is in error', ['The pod used 9 MiB.'], ' 500 '],
])('whoever waits for a pod that %s is told', async (_, failures, status) => {
  const pod = await startPod(() => undefined);
  const bench = await startBench({ pods: [pod.port], limits: { perPod: 1 } });
  bench.client().send(inference());
  await waitUntil('the pod works', () => pod.received.endsWith(']'));
  const waiting = ask(bench, inference());
  await waitUntil('one waits', () => [...bench.routes.deployments][0]!.queued === 1);
  bench.routes.replace([routeRow({ failures })]);
  expect(await waiting).toContain(status);
});

test('a token is verified once, and again after it expired; its user is looked up every time', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({ pods: [pod.port] });
  const client = bench.client();
  for (let i = 1; i <= 3; i++) {
    client.send(inference());
    await waitUntil('it is answered', () => client.received.split('200 OK').length === i + 1);
  }
  expect(bench.verifications).toBe(1);
  bench.access.replace([{ id: 'anna', isEnabled: true, tokensValidAfterMs: 0, workspaceIds: [] }]);
  expect(await ask(bench, inference())).toContain(' 404 ');
  bench.access.replace([{ id: 'anna', isEnabled: false, tokensValidAfterMs: 0, workspaceIds: [1] }]);
  expect(await ask(bench, inference())).toContain(' 401 ');
  expect(bench.verifications).toBe(1);
  bench.nowMs = 10_001;
  await ask(bench, inference());
  expect(bench.verifications).toBe(2);
});

test('with authentication off every caller is the first user', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({ pods: [pod.port], isAuthOff: true });
  expect(await ask(bench, inference({ token: '' }))).toContain('200 OK');
});

test('a busy pod is passed over', async () => {
  const silent = await startPod(() => undefined);
  const quick = await startPod(answering());
  const bench = await startBench({ pods: [silent.port] });
  bench.client().send(inference());
  await waitUntil('the silent pod is busy', () => silent.received.endsWith(']'));
  bench.setPods([silent.port, quick.port]);
  for (let i = 0; i < 5; i++) expect(await ask(bench, inference())).toContain('200 OK');
});

test('beyond its bounds a deployment refuses at once with 429, and serves those that waited', async () => {
  const held: Socket[] = [];
  const pod = await startPod((socket, { received }) => {
    if (received.endsWith(']')) held.push(socket);
  });
  const bench = await startBench({ pods: [pod.port], limits: { perPod: 1, queued: 1 } });
  const first = bench.client().send(inference());
  await waitUntil('the pod works', () => held.length === 1);
  const second = bench.client().send(inference());
  await waitUntil('one waits', () => [...bench.routes.deployments][0]!.queued === 1);
  // The quickest of a few: other processes of the machine may hold up any single one.
  const tookMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const startedAtMs = performance.now();
    expect(await ask(bench, inference())).toMatch(/^HTTP\/1\.1 429 [\s\S]*retry-after: 1\r\n/);
    tookMs.push(performance.now() - startedAtMs);
  }
  expect(Math.min(...tookMs)).toBeLessThan(50);
  held[0]!.write(answer('[1]'));
  await waitUntil('the waiting one is sent', () => held.length === 2);
  held[1]!.write(answer('[2]'));
  await waitUntil('both are answered', () => first.received.endsWith('[1]') && second.received.endsWith('[2]'));
});

test('a caller that leaves while it waits gives its place up', async () => {
  const pod = await startPod(() => undefined);
  const bench = await startBench({ pods: [pod.port], limits: { perPod: 1, queued: 1 } });
  bench.client().send(inference());
  await waitUntil('the pod works', () => pod.received.endsWith(']'));
  const leaving = bench.client().send(inference());
  const [route] = [...bench.routes.deployments];
  await waitUntil('one waits', () => route!.queued === 1);
  leaving.socket.destroy();
  await waitUntil('none waits', () => route!.queued === 0);
});

test('a pod that dies at work: 502 within a second, in the caller’s shape, and the connection lives', async () => {
  const pod = await startPod((socket, { received }) => {
    if (received.endsWith(']')) socket.resetAndDestroy();
  });
  const bench = await startBench({ pods: [pod.port] });
  const startedAtMs = performance.now();
  const client = bench.client().send(inference({ headers: 'User-Agent: python-requests/2.25.1\r\n' }));
  await waitUntil('it is answered', () => client.received.endsWith(']'));
  expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  expect(client.received).toMatch(/^HTTP\/1\.1 502 [\s\S]*\[\{"error":"[^"]+","error_type":"unavailable"\}\]$/);
  expect(pod.sockets).toHaveLength(1);
  client.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitUntil('the next request is answered', () => client.received.endsWith('{"status":"ok"}'));
});

test('a response that breaks off half-way breaks off at the caller too', async () => {
  const pod = await startPod((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1,2', () => socket.destroy());
  });
  const bench = await startBench({ pods: [pod.port] });
  const client = bench.client().send(inference());
  await waitUntil('the connection is closed', () => client.isClosed);
  expect(client.received.endsWith('[1,2')).toBe(true);
});

test('a pod that cannot be reached is left for another; nothing is sent twice', async () => {
  const pod = await startPod(answering());
  const gone = await new RawUpstream(() => undefined).listen();
  const deadPort = gone.port;
  gone.close();
  const bench = await startBench({ pods: [deadPort, pod.port] });
  for (let i = 0; i < 4; i++) expect(await ask(bench, inference())).toContain('200 OK');
  expect(pod.received.split('POST /infer')).toHaveLength(5);
  bench.setPods([deadPort]);
  expect(await ask(bench, inference())).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after/);
});

test.each(['destroy', 'resetAndDestroy'] as const)(
  'a kept connection that the pod closed (%s) is not used again',
  async (how) => {
    const pod = await startPod(answering());
    const bench = await startBench({ pods: [pod.port] });
    await ask(bench, inference());
    pod.sockets[0]![how]();
    const [route] = [...bench.routes.deployments];
    await waitUntil('the gateway has noticed', () => route!.pods[0]!.pool.idleCount === 0);
    expect(await ask(bench, inference())).toContain('200 OK');
    expect(pod.sockets).toHaveLength(2);
  },
);

test('a pod that says more than its answer is not asked on that connection again', async () => {
  const pod = await startPod((socket, { received }) => {
    if (received.endsWith(']')) socket.write(`${answer('[1]')}${answer('[2]')}`);
  });
  const bench = await startBench({ pods: [pod.port] });
  for (let i = 0; i < 2; i++) expect(await ask(bench, inference())).toBe(answer('[1]'));
  expect(pod.sockets).toHaveLength(2);
});

test('a large body streams to the pod as it is, whole or chunked', async () => {
  let length = 0;
  const pod = await startPod((socket, upstream) => {
    length += upstream.received.length;
    const isEnd = upstream.received.endsWith('!') || upstream.received.endsWith('\r\n0\r\n\r\n');
    upstream.received = '';
    if (isEnd) socket.write(answer('[0]'));
  });
  const bench = await startBench({ pods: [pod.port] });
  await ask(bench, inference({ body: `${'x'.repeat(8 * 2 ** 20)}!` }));
  expect(length).toBeGreaterThan(8 * 2 ** 20);
  length = 0;
  const chunk = `10000\r\n${'y'.repeat(65536)}\r\n`;
  const head = inference({ body: '' }).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
  await ask(bench, `${head}${chunk.repeat(64)}0\r\n\r\n`);
  expect(length).toBeGreaterThan(4 * 2 ** 20);
});

test('a caller that waits for 100 Continue gets it, but not before it is known', async () => {
  const pod = await startPod(answering());
  const bench = await startBench({ pods: [pod.port] });
  const body = '[{"tensor":[1]}]';
  const request = (token: string) =>
    inference({ token, headers: 'Expect: 100-continue\r\n', body }).slice(0, -body.length);
  const client = bench.client().send(request('anna'));
  await waitUntil('it may go on', () => client.received === 'HTTP/1.1 100 Continue\r\n\r\n');
  client.send(body);
  await waitUntil('it is answered', () => client.received.endsWith(']'));
  const stranger = bench.client().send(request(''));
  await waitUntil('it is refused', () => stranger.received.includes('401'));
  expect(stranger.received).not.toContain('100 Continue');
});

test('a pod that does not answer in time: 504', async () => {
  const pod = await startPod(() => undefined);
  const bench = await startBench({ pods: [pod.port], limits: { requestDeadlineMs: 100 } });
  expect(await ask(bench, inference())).toMatch(/^HTTP\/1\.1 504 [\s\S]*did not answer within 0\.1 s/);
});

test('a deploy switches once all pods of the new revision are ready', async () => {
  const [old, fresh] = [await startPod(answering('[1]')), await startPod(answering('[2]'))];
  const bench = await startBench({});
  const row = routeRow({ engineConfig: { engine: { replicas: 2 } } });
  const pod = (id: string, revision: number, port: number) => ({ id, revision, address: '127.0.0.1', port });
  const before = pod('a', 1, old.port);
  bench.routes.replace([{ ...row, revision: 2, pods: [before, pod('b', 2, fresh.port)] }]);
  for (let i = 0; i < 3; i++) expect(await ask(bench, inference())).toMatch(/\[1\]$/);
  bench.routes.replace([{ ...row, revision: 2, pods: [before, pod('b', 2, fresh.port), pod('c', 2, fresh.port)] }]);
  for (let i = 0; i < 3; i++) expect(await ask(bench, inference())).toMatch(/\[2\]$/);
});
