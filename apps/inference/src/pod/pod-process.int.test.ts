import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodSpec, PodToHost } from '@pademelon/contracts';
import { podSocketName } from '@pademelon/runtime/pod-socket';
import { waitUntil } from '@pademelon/testing';
import { endlessLoopModel, sumModel } from '@pademelon/testing/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { arrowType, placeModels, recordsType, sdkQuery, testLimits } from './pod-bench.ts';

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** A collector that keeps what it gets. */
function collect(): { path: string; bytes: () => number; server: Server } {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-log-'));
  const path = join(folder, 'log.sock');
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('error', () => undefined);
  });
  server.listen(path);
  releases.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { path, bytes: () => bytes, server };
}

function startProcess(file: Buffer, changes: Partial<PodSpec> = {}) {
  const { models, remove } = placeModels([{ name: 'sum', file }]);
  releases.push(remove);
  const log = collect();
  const child = fork(join(import.meta.dirname, 'main.ts'), {
    execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
    env: {},
  });
  releases.push(() => child.kill('SIGKILL'));
  const { name, version, sha } = models[0]!;
  const spec: PodSpec = {
    podId: 'pod-1',
    deploymentId: 1,
    deploymentName: 'd-1',
    workspaceId: 1,
    pipelineId: 1,
    pipelineName: 'pipe',
    pipelineVersion: 'version-1',
    steps: [{ ModelInference: { models: [{ name, version, sha }] } }],
    models,
    threads: 1,
    bindAddress: '127.0.0.1',
    key: 'the pod key',
    memoryBytes: null,
    logSocketPath: log.path,
    limits: testLimits,
    ...changes,
  };
  child.send({ type: 'load', spec });
  return { child, log };
}

/** The next message of a type. */
async function message<T extends PodToHost['type']>(child: ChildProcess, type: T): Promise<PodToHost & { type: T }> {
  for (;;) {
    const [received] = (await once(child, 'message')) as [PodToHost];
    if (received.type === type) return received as PodToHost & { type: T };
  }
}

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One connection on which raw bytes are sent and answers are read in their order. */
function dial(where: number | string) {
  const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
  releases.push(() => socket.destroy());
  let received = '';
  let wake = (): void => undefined;
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    wake();
  });
  // 'close' follows, and the answer that is waited for fails.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve())).then(() => wake());
  return {
    socket,
    closed,
    async answer(): Promise<RawAnswer> {
      for (;;) {
        const headEnd = received.indexOf('\r\n\r\n');
        const head = received.slice(0, headEnd);
        const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
        if (headEnd >= 0 && received.length >= headEnd + 4 + length) {
          const body = received.slice(headEnd + 4, headEnd + 4 + length);
          received = received.slice(headEnd + 4 + length);
          return { status: Number(head.slice(9, 12)), head, body };
        }
        if (socket.destroyed) throw new Error(`closed after ${JSON.stringify(received)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function request(body: string, headers: Record<string, string> = {}): string {
  const all: Record<string, string> = {
    host: 'pod',
    'x-pademelon-key': 'the pod key',
    'content-type': recordsType,
    'content-length': `${body.length}`,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${sdkQuery} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

const good = '[{"tensor":[1,2,3]}]';

describe('a pod', () => {
  it('loads, serves, logs, and exits with 0 when it is drained', async () => {
    const { child, log } = startProcess(sumModel());
    const { port, loadMs } = await message(child, 'ready');
    expect(loadMs).toBeGreaterThan(0);
    const client = dial(port);
    client.socket.write(request(good, { 'x-request-id': 'abc-1' }));
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(answer.head).toContain('x-request-id: abc-1');
    expect(JSON.parse(answer.body)).toMatchObject([{ 'out.y': [6], 'anomaly.count': 0 }]);
    // The record left before the answer did; the listener of this test may still have it before it.
    await waitUntil('the record is there', () => log.bytes() > 0);
    const alive = await message(child, 'alive');
    expect(alive).toMatchObject({ requests: 1, errors: 0, queued: 0, logged: 1, loggedRows: 1 });
    child.send({ type: 'drain' });
    expect(await once(child, 'exit')).toEqual([0, null]);
    await client.closed;
  });

  it.runIf(process.platform === 'linux')(
    'serves callers of its own machine by a socket, too, until it is drained',
    async () => {
      const { child } = startProcess(sumModel());
      const { port } = await message(child, 'ready');
      const client = dial(podSocketName('the pod key', port)!);
      client.socket.write(request(good, { 'x-pademelon-key': 'another key' }));
      expect((await client.answer()).status).toBe(401);
      const other = dial(podSocketName('the pod key', port)!);
      other.socket.write(request(good));
      expect(JSON.parse((await other.answer()).body)).toMatchObject([{ 'out.y': [6] }]);
      child.send({ type: 'drain' });
      expect(await once(child, 'exit')).toEqual([0, null]);
      await other.closed;
    },
  );

  it('answers requests that came before it was drained and that it had not read yet', async () => {
    const { child } = startProcess(sumModel(), { limits: { ...testLimits, queuedRequests: 100 } });
    const { port } = await message(child, 'ready');
    const known = [dial(port), dial(port)];
    for (const { socket, answer } of known) {
      socket.write(request(good));
      expect((await answer()).status).toBe(200);
    }
    // As deaf as while a model runs.
    child.kill('SIGSTOP');
    await waitUntil('it has stopped', () => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')));
    child.send({ type: 'drain' });
    const callers = [...known, ...Array.from({ length: 20 }, () => dial(port))];
    for (const { socket } of callers) {
      await new Promise<void>((resolve) => socket.write(request(good), () => resolve()));
    }
    child.kill('SIGCONT');
    const statuses = await Promise.all(callers.map(async ({ answer }) => (await answer()).status));
    expect(statuses).toEqual(callers.map(() => 200));
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('answers pipelined requests in their order, good and bad ones', async () => {
    const { child } = startProcess(sumModel());
    const client = dial((await message(child, 'ready')).port);
    client.socket.write(
      request('[{"tensor":[1,1,1]}]') +
        request('[{"tensor":[1]}]') +
        request('{', { 'content-type': 'text/html' }) +
        request(good),
    );
    expect((await client.answer()).body).toContain('"out.y":[3.0]');
    expect((await client.answer()).status).toBe(400);
    expect((await client.answer()).status).toBe(415);
    expect((await client.answer()).body).toContain('"out.y":[6.0]');
  });

  it('takes chunked bodies in any pieces', async () => {
    const { child } = startProcess(sumModel());
    const client = dial((await message(child, 'ready')).port);
    const chunks = [...good].map((byte) => `1\r\n${byte}\r\n`).join('');
    const text = `POST ${sdkQuery} HTTP/1.1\r\nhost: pod\r\nx-pademelon-key: the pod key\r\ncontent-type: ${recordsType}\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
    client.socket.setNoDelay(true);
    for (let at = 0; at < text.length; at += 7) client.socket.write(text.slice(at, at + 7));
    expect((await client.answer()).body).toContain('"out.y":[6.0]');
  });

  it.each<[string, string, number]>([
    ['no key', request(good, { 'x-pademelon-key': '' }), 401],
    ['another key', request(good, { 'x-pademelon-key': 'the pod kez' }), 401],
    ['a longer key', request(good, { 'x-pademelon-key': 'the pod key2' }), 401],
    ['another path', request(good).replace('/infer?', '/infers?'), 404],
    ['another method', request(good).replace('POST', 'PUT'), 404],
    ['an encoded body', request(good, { 'content-encoding': 'gzip' }), 415],
    ['too large a body', request(good, { 'content-length': '1000001' }), 413],
    ['too large an Arrow body', request(good, { 'content-length': '1000001', 'content-type': arrowType }), 413],
    ['two framings', request(good, { 'transfer-encoding': 'chunked' }), 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
  ])('refuses %s and closes the connection', async (_what, bytes, status) => {
    const { child } = startProcess(sumModel());
    const { port } = await message(child, 'ready');
    const client = dial(port);
    client.socket.write(bytes);
    const answer = await client.answer();
    expect(answer.status).toBe(status);
    expect(answer.head).toContain('connection: close');
    expect(JSON.parse(answer.body)).toMatchObject({ code: status, status: 'Error', source: 'engine' });
    await client.closed;
    const other = dial(port);
    other.socket.write(request(good));
    expect((await other.answer()).status).toBe(200);
  });

  it("tells errors in the shape of the caller's generation", async () => {
    const { child } = startProcess(sumModel());
    const client = dial((await message(child, 'ready')).port);
    const error = 'Row 0, column "tensor": the model takes 3 values, but the cell has 1 value.';
    client.socket.write(request('[{"tensor":[1]}]', { 'user-agent': 'python-requests/2.25.1' }));
    expect(JSON.parse((await client.answer()).body)).toEqual([{ error, error_type: 'invalid_input' }]);
    client.socket.write(request('[{"tensor":[1]}]', { 'x-request-id': 'r7' }));
    expect(JSON.parse((await client.answer()).body)).toEqual({
      code: 400,
      status: 'Error',
      error,
      source: 'engine',
      msg: error,
      request_id: 'r7',
    });
  });

  it('goes on serving when its host does not collect the log', async () => {
    const { child, log } = startProcess(sumModel());
    const { port } = await message(child, 'ready');
    log.server.close();
    const client = dial(port);
    for (let round = 0; round < 3; round += 1) {
      client.socket.write(request(good));
      expect((await client.answer()).status).toBe(200);
    }
  });

  it('says why it cannot serve, and ends', async () => {
    const { child } = startProcess(Buffer.from('no model'));
    const exit = once(child, 'exit');
    expect((await message(child, 'failed')).reason).toMatch(/^Model "sum" cannot be loaded: /);
    expect(await exit).toEqual([1, null]);
  });

  it('does not outlive its host', async () => {
    const { child } = startProcess(sumModel());
    await message(child, 'ready');
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });

  it('stays silent while a model never ends, and can be killed', async () => {
    const { child } = startProcess(endlessLoopModel());
    const outcome = await Promise.race([
      message(child, 'ready').then(() => 'ready'),
      new Promise((resolve) => setTimeout(resolve, 1_500, 'silent')),
    ]);
    expect(outcome).toBe('silent');
    child.kill('SIGKILL');
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });
});
