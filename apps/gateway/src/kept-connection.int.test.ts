import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { DeadlineWatch, RequestHead } from '@pademelon/http1';
import { waitUntil } from '@pademelon/testing';
import { afterEach, expect, test } from 'vitest';
import { DeploymentRoute, PodErrand } from './deployment-route.ts';
import { Exchange, type ExchangeCaller } from './exchange.ts';
import { routeRow, testLimits } from './gateway-test-bench.ts';
import { PodRoute } from './pod-route.ts';

const watch = new DeadlineWatch();
let pod: ChildProcess;

afterEach(() => {
  pod.kill('SIGKILL');
});

/** A pod in a process of its own, which answers with the number of its connections and resets one when told to. */
const podScript = `
  const sockets = [];
  const server = require('node:net').createServer((socket) => {
    sockets.push(socket);
    socket.on('data', () => {
      const body = '[' + sockets.length + ']';
      socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: ' + body.length + '\\r\\n\\r\\n' + body);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('message', () => setTimeout(() => sockets[0].resetAndDestroy(), 100));
`;

function blockEventLoop(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test('a request on a kept connection that turns out to be reset goes out again, because no byte of it was sent', async () => {
  pod = spawn(process.execPath, ['-e', podScript], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [port] = (await once(pod, 'message')) as [number];
  const route = new DeploymentRoute('flow', routeRow(), testLimits);
  route.replacePods([new PodRoute({ id: 'pod', address: '127.0.0.1', port, key: 'key', watch })]);
  const infer = (): { received: () => string } => {
    let received = '';
    const caller: ExchangeCaller = {
      write: (bytes) => {
        received += bytes.toString();
        return true;
      },
      isHolding: () => false,
      whenSent: () => undefined,
      pauseBody: () => undefined,
      onStarted: () => undefined,
      resumeBody: () => undefined,
      mustClose: () => false,
      answerError: (_, word) => {
        received = word;
      },
      onAnswered: () => undefined,
      abort: () => undefined,
    };
    const head = new RequestHead();
    const bytes = Buffer.from('POST /infer HTTP/1.1\r\nhost: x\r\n\r\n');
    head.scan(bytes, 0, bytes.length);
    const errand = new PodErrand(route, '/infer');
    new Exchange({ caller, head, headers: '\r\n', requestId: 'r', isInference: true }).start(errand);
    return { received: () => received };
  };

  const first = infer();
  await waitUntil('the first is answered', () => first.received().endsWith('[1]'));
  await new Promise<void>((resolve, reject) => pod.send('reset', (error) => (error ? reject(error) : resolve())));
  // The reset arrives while we cannot notice it: the connection still looks usable when the next request takes it.
  blockEventLoop(400);
  expect(route.pods[0]!.pool.idleCount).toBe(1);
  const second = infer();
  await waitUntil('the second is answered', () => second.received() !== '');
  expect(second.received()).toMatch(/\[2\]$/);
});
