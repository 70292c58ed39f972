import type { Socket } from 'node:net';
import { waitUntil } from '@pademelon/testing';
import { afterEach, expect, test } from 'vitest';
import { answer, type BenchOptions, GatewayBench, inference, RawUpstream, routeRow } from './gateway-test-bench.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startUpstream(body = '{"outputs":[]}'): Promise<RawUpstream> {
  const upstream = await new RawUpstream((socket: Socket) => socket.write(answer(body))).listen();
  closers.push(() => upstream.close());
  return upstream;
}

async function startBench(options: BenchOptions = {}): Promise<GatewayBench> {
  const bench = await new GatewayBench(options).listen();
  closers.push(() => bench.stop());
  return bench;
}

/** The head and the JSON of one answer. */
async function ask(bench: GatewayBench, request: string): Promise<{ head: string; status: number; json: unknown }> {
  const client = bench.client().send(request);
  const text = await waitUntil(
    'an answer is there',
    () => /\r\n\r\n[\s\S]*[}\]]$/.test(client.received) && client.received,
  );
  const [head, body] = text.split('\r\n\r\n');
  return { head: head!, status: Number(head!.slice(9, 12)), json: JSON.parse(body!) };
}

const get = (path: string, token = 'anna'): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\n${token === '' ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`;
const infer = (name: string, token = 'anna', headers = ''): string =>
  inference({ path: `/v2/models/${name}/infer`, token, headers, body: '{"inputs":[]}' });

test('an inference reaches the pod with its path, its length of JSON and its body byte for byte', async () => {
  const pod = await startUpstream();
  const bench = await startBench({ pods: [pod.port] });
  const headers =
    'Inference-Header-Content-Length: 13\r\nContent-Encoding: gzip\r\nCookie: secret\r\nX-Request-Id: r-1\r\n';
  const answered = await ask(bench, infer('team.flow/versions/version-1', 'anna', headers));
  expect(answered).toMatchObject({ status: 200, json: { outputs: [] } });
  expect(pod.received).toBe(
    'POST /v2/models/team.flow/versions/version-1/infer HTTP/1.1\r\nx-pademelon-key: key-of-pod0\r\nhost: pod\r\n' +
      'x-request-id: r-1\r\ninference-header-content-length: 13\r\ncontent-encoding: gzip\r\ncontent-length: 13\r\n\r\n' +
      '{"inputs":[]}',
  );
});

test('no token: 401, and not a member, unknown and undeployed are answered alike', async () => {
  const bench = await startBench({ pods: [9] });
  expect(await ask(bench, infer('flow', ''))).toMatchObject({ status: 401, json: { error: expect.any(String) } });
  for (const [path, unknownPath] of [
    [infer('flow', 'ben'), infer('flaw', 'ben')],
    [infer('team.flow', 'ben'), infer('team.flaw', 'ben')],
    [get('/v2/models/flow/ready', 'ben'), get('/v2/models/flaw/ready', 'ben')],
  ] as const) {
    const foreign = await ask(bench, path);
    const unknown = await ask(bench, unknownPath);
    expect(foreign).toMatchObject({ status: 404, json: { error: expect.stringMatching(/^There is no model "/) } });
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(unknown).replaceAll('flaw', 'flow'));
  }
});

test('a name that several of the caller’s workspaces have must be qualified, and only then', async () => {
  const pod = await startUpstream();
  const bench = await startBench();
  const pods = [{ id: 'pod', revision: 1, address: '127.0.0.1', port: pod.port }];
  const other = routeRow({ deploymentId: 8, workspaceId: 2, workspaceName: 'a.b c', pods });
  bench.routes.replace([routeRow({ pods }), other]);
  expect(await ask(bench, infer('flow'))).toMatchObject({ status: 200 });
  expect(await ask(bench, infer('flow', 'ben'))).toMatchObject({ status: 200 });
  bench.access.replace([{ id: 'anna', isEnabled: true, tokensValidAfterMs: 0, workspaceIds: [1, 2] }]);
  expect(await ask(bench, infer('flow'))).toMatchObject({
    status: 409,
    json: {
      error: 'You can use 2 pipelines named "flow"; name the workspace, too: "a.b c.flow", "team.flow".',
    },
  });
  expect(await ask(bench, infer('a.b%20c.flow'))).toMatchObject({ status: 200 });
  expect(await ask(bench, infer('team.flow'))).toMatchObject({ status: 200 });
  expect(await ask(bench, infer('c.flow'))).toMatchObject({ status: 404 });
});

test('a model is ready once a pod is, and a version only when the pods are of it', async () => {
  const bench = await startBench();
  expect(await ask(bench, get('/v2/models/flow/ready'))).toMatchObject({ status: 503 });
  const pod = (revision: number) => ({ id: `pod${revision}`, revision, address: '127.0.0.1', port: 9 });
  bench.routes.replace([routeRow({ pods: [pod(1)] })]);
  expect(await ask(bench, get('/v2/models/flow/ready'))).toMatchObject({ status: 200, json: { ready: true } });
  expect(await ask(bench, get('/v2/models/flow/versions/version-1/ready'))).toMatchObject({ status: 200 });
  expect(await ask(bench, get('/v2/models/flow/versions/version-9/ready'))).toMatchObject({ status: 404 });
  bench.routes.replace([routeRow({ revision: 2, pipelineVersion: 'version-2', pods: [pod(1)] })]);
  expect(await ask(bench, get('/v2/models/flow/ready'))).toMatchObject({ status: 200 });
  expect(await ask(bench, get('/v2/models/flow/versions/version-2/ready'))).toMatchObject({ status: 503 });
  bench.routes.replace([routeRow({ revision: 2, pipelineVersion: 'version-2', pods: [pod(1), pod(2)] })]);
  expect(await ask(bench, get('/v2/models/flow/versions/version-2/ready'))).toMatchObject({ status: 200 });
});

test('a failed deployment is told with its reason, to who infers and to who asks whether it is ready', async () => {
  const bench = await startBench();
  bench.routes.replace([routeRow({ failures: ['Model "x" cannot be loaded.'] })]);
  for (const request of [infer('flow'), get('/v2/models/flow/ready')]) {
    const answered = await ask(bench, request);
    expect(answered).toMatchObject({
      status: 500,
      json: { error: expect.stringMatching(/^The deployment of this pipeline failed; .* "x" cannot be loaded\.$/) },
    });
    expect(answered.head).not.toMatch(/retry-after/i);
  }
});

test('health and the server’s metadata need no token', async () => {
  const bench = await startBench();
  expect(await ask(bench, get('/v2/health/live', ''))).toMatchObject({ status: 200, json: { live: true } });
  expect(await ask(bench, get('/v2/health/ready', ''))).toMatchObject({ status: 200, json: { ready: true } });
  for (const path of ['/v2', '/v2/']) {
    expect(await ask(bench, get(path, ''))).toMatchObject({ status: 200, json: { name: 'pademelon' } });
  }
});

test('what else is below /v2 is the API’s, and while that is away the error is in the protocol’s shape', async () => {
  const api = await startUpstream('{"name":"flow"}');
  const bench = await startBench({ apiPort: api.port });
  expect(await ask(bench, get('/v2/models/flow'))).toMatchObject({ status: 200, json: { name: 'flow' } });
  expect(api.received).toMatch(/^GET \/v2\/models\/flow HTTP\/1\.1\r\n[\s\S]*authorization: Bearer anna\r\n/);
  const withoutApi = await startBench();
  expect(await ask(withoutApi, get('/v2/models/flow'))).toMatchObject({
    status: 503,
    json: { error: 'The API cannot be reached; try again in a second.' },
  });
  expect(await ask(withoutApi, get('/v2/api/assays'))).toMatchObject({ status: 503, json: { error: 'not_ready' } });
});
