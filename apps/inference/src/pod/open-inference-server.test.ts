import { setImmediate as nextTurn } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { podKeyHeader } from '@pademelon/contracts';
import { ProtocolError, type RequestConnection, RequestHead } from '@pademelon/http1';
import { sumModel } from '@pademelon/testing/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import type { BatchingPolicy } from './batching/batching-policy.ts';
import { dataPlaneBench, testLimits } from './pod-bench.ts';
import { PodServer } from './pod-server.ts';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

const target = '/v2/models/pipe/infer';
const request = (data: readonly number[]) => ({ inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', data }] });
const good = Buffer.from(JSON.stringify(request([1, 2, 3])));

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

function headOf(headers: Readonly<Record<string, string>>, path = target): RequestHead {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.from(`POST ${path} HTTP/1.1\r\nhost: pod\r\n${lines.join('')}\r\n`);
  const head = new RequestHead();
  head.scan(bytes, 0, bytes.length);
  return head;
}

/** A server without a socket; the answers of `send` are there after a turn of the event loop. */
async function setup(batching: BatchingPolicy | null = null) {
  const bench = await dataPlaneBench({ name: 'sum', file: sumModel(3) });
  removals.push(bench.remove);
  const server = new PodServer({
    spec: {
      bindAddress: '127.0.0.1',
      key: 'key',
      limits: { ...testLimits, jsonBodyBytes: 1_000, arrowBodyBytes: 2_000 },
    },
    dataPlane: bench.dataPlane,
    batching,
    hasChallengers: false,
    flushLog: () => undefined,
    onFault: (error) => {
      throw error;
    },
  });
  const answers: Answer[] = [];
  const send = (body: Buffer, headers: Readonly<Record<string, string>> = {}): void => {
    const answer = (bytes: Buffer): void => {
      const end = bytes.indexOf('\r\n\r\n');
      const head = bytes.toString('latin1', 0, end);
      answers.push({ status: Number(head.slice(9, 12)), head, body: bytes.subarray(end + 4) });
    };
    server.handle(headOf(headers), body, { isClosed: false, answer } as unknown as RequestConnection);
  };
  const ask = async (body: Buffer, headers?: Readonly<Record<string, string>>): Promise<Answer> => {
    send(body, headers);
    await nextTurn();
    return answers.pop()!;
  };
  return { server, send, ask, answers };
}

const outputs = ({ body }: Answer) => JSON.parse(body.toString()).outputs;

describe('the Open Inference Protocol at a pod', () => {
  it('takes bodies of gzip and deflate', async () => {
    const { ask } = await setup();
    for (const [encoding, body] of [
      ['gzip', gzipSync(good)],
      ['deflate', deflateSync(good)],
    ] as const) {
      const answer = await ask(body, { 'content-encoding': encoding });
      expect([answer.status, outputs(answer)]).toEqual([200, [expect.objectContaining({ data: [6] })]]);
    }
  });

  it.each<[string, Buffer, string, number, RegExp]>([
    ['another coding', good, 'br', 415, /"br" is not supported/],
    ['what is not gzip', good, 'gzip', 400, /not valid gzip/],
    ['gzip that is cut off', gzipSync(good).subarray(0, 30), 'gzip', 400, /not valid gzip/],
    [
      'a small body that stands for a large one',
      gzipSync(Buffer.alloc(1_001, ' ')),
      'gzip',
      413,
      /more than 1000 bytes/,
    ],
  ])('refuses %s', async (_name, body, encoding, status, sentence) => {
    const { ask } = await setup();
    const answer = await ask(body, { 'content-encoding': encoding });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toEqual({ error: expect.stringMatching(sentence) });
    expect((await ask(good)).status).toBe(200);
  });

  it('says how much of a binary answer is JSON', async () => {
    const { ask } = await setup();
    const json = Buffer.from(JSON.stringify({ ...request([1, 2, 3]), parameters: { binary_data_output: true } }));
    const { head, body } = await ask(json, { 'inference-header-content-length': String(json.length) });
    expect(head).toContain('content-type: application/octet-stream\r\n');
    const length = Number(/\r\ninference-header-content-length: (\d+)/.exec(head)![1]);
    expect(JSON.parse(body.toString('utf8', 0, length)).outputs[0].parameters).toEqual({ binary_data_size: 4 });
    expect(body.subarray(length)).toEqual(Buffer.from(Float32Array.of(6).buffer));
  });

  it('gives joined requests what they asked for each', async () => {
    const { send, answers } = await setup({ maxDelayMs: 1_000, targetRows: 2, limitRows: 2 });
    send(Buffer.from(JSON.stringify({ id: 'a', ...request([1, 2, 3]) })));
    send(Buffer.from(JSON.stringify({ id: 'b', ...request([4, 5, 6]) })));
    await nextTurn();
    const bodies = answers.map(({ body }) => JSON.parse(body.toString()));
    expect(bodies.map(({ id, outputs: [output] }) => [id, output.data])).toEqual([
      ['a', [6]],
      ['b', [15]],
    ]);
  });

  it('admits with the pod’s key, and binary bodies up to the size of Arrow’s', async () => {
    const { server } = await setup();
    const key = { [podKeyHeader]: 'key' };
    expect(server.admit(headOf(key))).toBe(1_000);
    expect(server.admit(headOf({ ...key, 'inference-header-content-length': '9' }))).toBe(2_000);
    expect(() => server.admit(headOf({}))).toThrow(expect.objectContaining({ status: 401 }));
    const refused = server.refuse(new ProtocolError(413, 'Too large.'), headOf(key)).toString();
    expect(refused).toMatch(/^HTTP\/1\.1 413 [\s\S]*\r\n\r\n\{"error":"Too large\."\}$/);
  });

  it('has no other path below it', async () => {
    const { server } = await setup();
    const received: string[] = [];
    const connection = { isClosed: false, answer: (bytes: Buffer) => received.push(bytes.toString()) };
    server.handle(headOf({}, '/v2/models/pipe/stats'), good, connection as unknown as RequestConnection);
    expect(received[0]).toMatch(/^HTTP\/1\.1 404 [\s\S]*\r\n\r\n\{"error":"/);
  });
});
