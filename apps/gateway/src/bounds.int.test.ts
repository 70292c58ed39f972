import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '@pademelon/testing';
import { afterEach, expect, test } from 'vitest';
import { answer, type BenchOptions, GatewayBench, inference, RawUpstream, routeRow } from './gateway-test-bench.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startPod(onData: (socket: Socket, pod: RawUpstream) => void = () => undefined): Promise<RawUpstream> {
  const pod = await new RawUpstream(onData).listen();
  closers.push(() => pod.close());
  return pod;
}

async function startBench(options: BenchOptions): Promise<GatewayBench> {
  const bench = await new GatewayBench(options).listen();
  closers.push(() => bench.stop());
  return bench;
}

async function ask(bench: GatewayBench, request = inference()): Promise<string> {
  const client = bench.client().send(request);
  return waitUntil('an answer is there', () => /\r\n\r\n[\s\S]*[}\]]$/.test(client.received) && client.received);
}

const podRow = (pod: RawUpstream) => ({ id: 'pod0', revision: 1, address: '127.0.0.1', port: pod.port });
const requestsOf = (pod: RawUpstream): number => pod.received.split('POST /infer').length - 1;

test('what the deployer set counts before what the platform is set to', async () => {
  const pod = await startPod();
  const bench = await startBench({ limits: { perPod: 8, queued: 8, requestDeadlineMs: 60_000 } });
  const engine = { replicas: 1, max_ongoing_requests: 1, max_queued_requests: 0, request_timeout_millis: 200 };
  bench.routes.replace([routeRow({ engineConfig: { engine }, pods: [podRow(pod)] })]);
  const first = ask(bench);
  await waitUntil('the pod works', () => requestsOf(pod) === 1);
  expect(await ask(bench)).toContain('429 Too Many Requests');
  expect(await first).toMatch(/^HTTP\/1\.1 504 [\s\S]*did not answer within 0\.2 s/);
  bench.routes.replace([routeRow({ engineConfig: { engine: { replicas: 1 } }, pods: [podRow(pod)] })]);
  for (let i = 0; i < 3; i++) bench.client().send(inference());
  await waitUntil('a new deploy changes the bounds of who comes next', () => requestsOf(pod) === 4);
});

test('a deployer cannot give itself more time than the platform gives', async () => {
  const pod = await startPod();
  const bench = await startBench({ limits: { requestDeadlineMs: 100 } });
  const engine = { request_timeout_millis: 3_600_000 };
  bench.routes.replace([routeRow({ engineConfig: { engine }, pods: [podRow(pod)] })]);
  expect(await ask(bench)).toMatch(/^HTTP\/1\.1 504 [\s\S]*did not answer within 0\.1 s/);
});

test('one whose deadline passes while it waits is answered 504 and never sent', async () => {
  // The head of a response is out, its body is not: the pod is at work for as long as it takes.
  const pod = await startPod((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1'));
  const bench = await startBench({ pods: [pod.port], limits: { perPod: 1, requestDeadlineMs: 200 } });
  bench.client().send(inference());
  await waitUntil('the pod works', () => requestsOf(pod) === 1);
  expect(await ask(bench)).toMatch(/^HTTP\/1\.1 504 [\s\S]*did not answer within 0\.2 s/);
  const [route] = [...bench.routes.deployments];
  expect({ sent: requestsOf(pod), queued: route!.queued }).toEqual({ sent: 1, queued: 0 });
});

test('callers of a pod that is ended for a model over its time are told 504, all of them', async () => {
  const pod = await startPod();
  const bench = await startBench({ pods: [pod.port], limits: { runDeadlineMs: 200 } });
  const blocking = ask(bench);
  await waitUntil('the pod works', () => requestsOf(pod) === 1);
  await sleep(250);
  const late = ask(bench);
  await waitUntil('another was sent', () => requestsOf(pod) === 2);
  for (const socket of pod.sockets) socket.resetAndDestroy();
  for (const answered of [blocking, late]) {
    expect(await answered).toMatch(/^HTTP\/1\.1 504 [\s\S]*ran longer than the 0\.2 s/);
  }
});

test('a pod that answered a moment ago and ends was not stuck', async () => {
  const pod = await startPod((socket, { received }) => {
    if (received.endsWith('[1]}]')) socket.write(answer('[1]'));
  });
  const bench = await startBench({ pods: [pod.port], limits: { runDeadlineMs: 300 } });
  const waiting = ask(bench, inference({ body: '[{"tensor":[2]}]' }));
  await waitUntil('the pod works', () => requestsOf(pod) === 1);
  await sleep(350);
  expect(await ask(bench)).toContain('200 OK');
  for (const socket of pod.sockets) socket.resetAndDestroy();
  expect(await waiting).toContain('502 Bad Gateway');
});

test('the queue is bounded by time: who would wait too long by the pace of the answers is refused at once', async () => {
  // One answer every 50 ms: 20 a second.
  const held: Socket[] = [];
  const pod = await startPod((socket) => held.push(socket));
  const timer = setInterval(() => held.shift()?.write(answer('[1]')), 50);
  closers.push(() => clearInterval(timer));
  const limits = { perPod: 2, queued: 10_000, queueWaitMs: 1_000 };
  const bench = await startBench({ pods: [pod.port], limits });
  const [route] = [...bench.routes.deployments];
  const offer = setInterval(() => bench.client().send(inference()), 5);
  closers.push(() => clearInterval(offer));
  await waitUntil('some are refused', () => /status="4xx"} [1-9]/.test(bench.metrics.render(bench.routes)));
  await waitUntil('the crowd of the first moments is gone', () => route!.load < 30);
  let most = 0;
  for (let i = 0; i < 100; i++) {
    await sleep(10);
    most = Math.max(most, route!.load);
  }
  // 20 a second for a second, and some for the unsteadiness of a busy machine; 180 a second are offered too many.
  expect(most).toBeLessThan(60);
  expect(most).toBeGreaterThan(5);
});
