import { setImmediate as nextTurn } from 'node:timers/promises';
import { type RequestConnection, RequestHead } from '@pademelon/http1';
import { sumModel } from '@pademelon/testing/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { arrowType, dataPlaneBench, recordsType, sdkQuery, testLimits } from './pod-bench.ts';
import { PodServer } from './pod-server.ts';

const good = Buffer.from('[{"tensor":[1,2,3]}]');
const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

/** A server without a socket: requests go in by `send`, and `events` tells what happened in which order. */
async function setup({ turnMs = Number.POSITIVE_INFINITY } = {}) {
  const bench = await dataPlaneBench({ name: 'sum', file: sumModel() });
  removals.push(bench.remove);
  const events: string[] = [];
  const faults: unknown[] = [];
  const server = new PodServer({
    spec: { bindAddress: '127.0.0.1', key: 'key', limits: { ...testLimits, queuedRequests: 2 } },
    dataPlane: bench.dataPlane,
    batching: null,
    hasChallengers: false,
    flushLog: () => events.push(`flush after ${bench.records.length}`),
    onFault: (error) => faults.push(error),
    turnMs,
  });
  const send = (name: string, { body = good, isClosed = false, contentType = recordsType } = {}): void => {
    const head = new RequestHead();
    const bytes = Buffer.from(`POST ${sdkQuery} HTTP/1.1\r\nhost: pod\r\ncontent-type: ${contentType}\r\n\r\n`);
    head.scan(bytes, 0, bytes.length);
    const answer = (part: Buffer): void => {
      events.push(`${name} ${part.toString('latin1', 9, 12)}${/retry-after: \d+/.exec(part.toString()) ?? ''}`);
    };
    server.handle(head, body, { isClosed, answer } as unknown as RequestConnection);
  };
  return { server, send, events, faults, dataPlane: bench.dataPlane, records: bench.records };
}

describe('PodServer', () => {
  it('hands over the log of all answers of a turn before it sends the first', async () => {
    const { send, events } = await setup();
    send('a');
    send('b');
    expect(events).toEqual([]);
    await nextTurn();
    expect(events).toEqual(['flush after 2', 'a 200', 'b 200']);
  });

  it('lets timers and sockets have their turn when the time of its own is over', async () => {
    const { send, events } = await setup({ turnMs: 0 });
    send('a');
    send('b');
    await nextTurn();
    expect(events).toEqual(['flush after 1', 'a 200']);
    await nextTurn();
    expect(events.slice(2)).toEqual(['flush after 2', 'b 200']);
  });

  it('refuses at once what exceeds its queue, and takes more when the queue is empty', async () => {
    const { server, send, events } = await setup();
    for (const name of ['a', 'b', 'c']) send(name);
    expect(events).toEqual(['c 429retry-after: 1']);
    expect(server.counts.queued).toBe(2);
    await nextTurn();
    send('d');
    await nextTurn();
    expect(events.slice(1)).toEqual(['flush after 2', 'a 200', 'b 200', 'flush after 3', 'd 200']);
    expect(server.counts).toEqual({ requests: 4, errors: 1, queued: 0 });
  });

  it('neither runs nor logs the request of a caller who is gone', async () => {
    const { send, events, records } = await setup();
    send('gone', { isClosed: true });
    await nextTurn();
    expect(events).toEqual(['flush after 0']);
    expect(records).toEqual([]);
  });

  it('answers a fault of ours with 500, reports it, and goes on', async () => {
    const { send, events, faults, dataPlane } = await setup();
    const infer = dataPlane.infer.bind(dataPlane);
    dataPlane.infer = () => {
      throw new TypeError('a bug');
    };
    send('a');
    await nextTurn();
    dataPlane.infer = infer;
    send('b');
    await nextTurn();
    expect(events).toEqual(['flush after 0', 'a 500', 'flush after 1', 'b 200']);
    expect(faults).toEqual([expect.any(TypeError)]);
  });

  it('counts requests that wait for the Arrow encoder', async () => {
    const { server, send, events, dataPlane } = await setup();
    const loaded = Promise.withResolvers<void>();
    dataPlane.isPrepared = () => false;
    dataPlane.prepare = () => loaded.promise;
    for (const name of ['a', 'b', 'c']) send(name, { contentType: arrowType, body: Buffer.from('no Arrow') });
    expect(server.counts.queued).toBe(2);
    expect(events).toEqual(['c 429retry-after: 1']);
    loaded.resolve();
    await nextTurn();
    await nextTurn();
    expect(events.slice(1)).toEqual(['flush after 0', 'a 400', 'b 400']);
  });
});
