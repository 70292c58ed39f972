import { setImmediate as nextTurn } from 'node:timers/promises';
import { multipleInputsModel, sumModel, writeOnnxModel } from '@pademelon/testing/onnx';
import { tableFromJSON, tableToIPC } from 'apache-arrow';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { arrowType, dataPlaneBench, recordsType, sdkQuery, type TestModel } from '../pod-bench.ts';
import { PlanCache } from '../request-plan.ts';
import { BatchQueue } from './batch-queue.ts';
import type { BatchingPolicy } from './batching-policy.ts';

const removals: (() => void)[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  for (const remove of removals.splice(0)) remove();
});

interface Sent {
  readonly body: string | Buffer;
  readonly contentType?: string;
  readonly accept?: string;
  readonly isClosed?: boolean;
  readonly deadlineAtMs?: number;
}

const sum: TestModel = { name: 'sum', file: sumModel(3) };
const row = (...tensor: number[]): string => JSON.stringify([{ tensor }]);

/** A queue without sockets. `runs` has the rows of every run of the pipeline; `events` what happened in which order. */
async function setup(policy: Partial<BatchingPolicy> = {}, model = sum) {
  const bench = await dataPlaneBench(model);
  removals.push(bench.remove);
  const events: string[] = [];
  const runs: number[] = [];
  const run = bench.dataPlane.run.bind(bench.dataPlane);
  bench.dataPlane.run = (batch) => {
    runs.push(batch.rowCount);
    return run(batch);
  };
  const queue = new BatchQueue(
    {
      dataPlane: bench.dataPlane,
      flushLog: () => events.push(`flush after ${bench.records.length}`),
      onFault: (error) => events.push(`fault ${error}`),
      turnMs: Number.POSITIVE_INFINITY,
    },
    { maxDelayMs: 10, targetRows: 4, limitRows: 6, ...policy },
  );
  const plans = new PlanCache();
  const answers = new Map<string, { status: number; body: Buffer }>();
  const send = (name: string, { body, contentType, accept, isClosed = false, deadlineAtMs }: Sent): void => {
    const plan = plans.get({ target: sdkQuery, contentType: contentType ?? recordsType, accept, userAgent: undefined });
    const answer = (bytes: Buffer): void => {
      const status = Number(bytes.toString('latin1', 9, 12));
      events.push(`${name} ${status}`);
      answers.set(name, { status, body: bytes.subarray(bytes.indexOf('\r\n\r\n') + 4) });
    };
    queue.add({
      plan,
      body: Buffer.from(body as string),
      requestId: name,
      connection: { isClosed, answer },
      deadlineAtMs: deadlineAtMs ?? Number.POSITIVE_INFINITY,
    });
  };
  return { ...bench, queue, send, events, runs, answers };
}

describe('BatchQueue', () => {
  it('runs as soon as there are enough rows, and answers each with its own', async () => {
    const { send, runs, answers, events, queue } = await setup();
    send('a', { body: row(1, 2, 3) });
    send('b', { body: '[{"tensor":[4,5,6]},{"tensor":[7,8,9]}]' });
    await nextTurn();
    expect(runs).toEqual([]);
    expect(queue.queued).toBe(2);
    send('c', { body: row(0.5, 0, 0) });
    await nextTurn();
    expect(runs).toEqual([4]);
    expect(events).toEqual(['flush after 3', 'a 200', 'b 200', 'c 200']);
    const outputs = (name: string) =>
      JSON.parse(answers.get(name)!.body.toString()).map((each: { 'out.y': number[] }) => each['out.y'][0]);
    expect([outputs('a'), outputs('b'), outputs('c')]).toEqual([[6], [15, 24], [0.5]]);
    expect({ queued: queue.queued, requests: queue.requests, errors: queue.errors }).toEqual({
      queued: 0,
      requests: 3,
      errors: 0,
    });
  });

  it('waits no longer than the delay for more', async () => {
    const { send, runs } = await setup();
    send('a', { body: row(1, 2, 3) });
    vi.advanceTimersByTime(9);
    send('b', { body: row(1, 2, 3) });
    await nextTurn();
    expect(runs).toEqual([]);
    vi.advanceTimersByTime(1);
    await nextTurn();
    expect(runs).toEqual([2]);
  });

  it('joins what comes in one turn of the event loop when there is no delay', async () => {
    const { send, runs } = await setup({ maxDelayMs: 0 });
    for (const name of ['a', 'b', 'c']) send(name, { body: row(1, 2, 3) });
    await vi.waitFor(() => expect(runs).toEqual([3]), { timeout: 10_000 });
  });

  it('never joins more rows than the limit, and runs a larger request by itself', async () => {
    const { send, runs } = await setup({ targetRows: 4, limitRows: 4 });
    const rows = (count: number): string =>
      JSON.stringify(Array.from({ length: count }, () => ({ tensor: [1, 1, 1] })));
    send('a', { body: rows(3) });
    send('b', { body: rows(2) });
    send('large', { body: rows(9) });
    send('c', { body: rows(2) });
    await nextTurn();
    expect(runs).toEqual([3, 9, 4]);
  });

  it('runs requests of other columns apart', async () => {
    const model = { name: 'several', file: multipleInputsModel() };
    const { send, runs, answers } = await setup({ targetRows: 2 }, model);
    send('a', { body: '[{"a":1,"b":2,"mask":true}]' });
    send('b', { body: '[{"b":2,"a":1,"mask":true}]' });
    await nextTurn();
    expect(runs).toEqual([]);
    send('c', { body: '[{"a":3,"b":4,"mask":false}]' });
    send('d', { body: '[{"b":5,"a":6,"mask":false}]' });
    await nextTurn();
    expect(runs).toEqual([2, 2]);
    expect(JSON.parse(answers.get('d')!.body.toString())).toMatchObject([
      { 'in.b': 5, 'out.sum': [11], 'out.product': [30], 'out.unmasked': [true] },
    ]);
  });

  it('refuses what cannot be read at once and lets the others wait on', async () => {
    const { send, events, runs, queue } = await setup();
    send('a', { body: row(1, 2, 3) });
    send('bad', { body: '[{"tensor":[1,2]}]' });
    send('worse', { body: 'no JSON' });
    await nextTurn();
    expect(events).toEqual(['bad 400', 'worse 400']);
    expect(queue.queued).toBe(1);
    for (const name of ['b', 'c', 'd']) send(name, { body: row(1, 2, 3) });
    await nextTurn();
    expect(runs).toEqual([4]);
  });

  it('tells only the request at fault when a joined run fails', async () => {
    const picker = writeOnnxModel({
      graph: {
        nodes: [{ op: 'Gather', inputs: ['prices', 'x'], outputs: ['y'] }],
        inputs: [{ name: 'x', type: 'int64', shape: ['N', 1] }],
        outputs: [{ name: 'y', shape: ['N', 1] }],
        initializers: [
          { name: 'prices', type: 'float32', dims: [3], raw: Buffer.from(Float32Array.of(10, 20, 30).buffer) },
        ],
      },
    });
    const { send, runs, answers, records } = await setup({ targetRows: 3 }, { name: 'picker', file: picker });
    send('a', { body: '[{"x":0}]' });
    send('bad', { body: '[{"x":7}]' });
    send('c', { body: '[{"x":2}]' });
    await nextTurn();
    expect(runs).toEqual([3, 1, 1, 1]);
    expect(answers.get('a')!.body.toString()).toContain('"out.y":[10.0]');
    expect(answers.get('c')!.body.toString()).toContain('"out.y":[30.0]');
    expect(answers.get('bad')!.status).toBe(422);
    expect(records).toHaveLength(2);
  });

  it('neither runs nor logs what nobody waits for or whose deadline is over', async () => {
    const { send, runs, events, records, answers } = await setup({ targetRows: 3 });
    send('gone', { body: row(1, 2, 3), isClosed: true });
    send('late', { body: row(1, 2, 3), deadlineAtMs: performance.now() - 1 });
    send('a', { body: row(1, 2, 3) });
    await nextTurn();
    expect(runs).toEqual([1]);
    expect(records).toHaveLength(1);
    expect(events).toEqual(['flush after 1', 'late 504', 'a 200']);
    expect(answers.get('late')!.body.toString()).toContain('not run');
  });

  it('gives every form of request the answer that it gets alone', async () => {
    const { send, answers, runs, inferBytes } = await setup({ targetRows: 3 });
    const arrow = Buffer.from(tableToIPC(tableFromJSON([{ tensor: [1.5, 2, 3] }, { tensor: [7, 8.25, 9] }]), 'file'));
    const requests: Record<string, Sent> = {
      records: { body: '[{"tensor":[1e0, 2.50,3]}]' },
      escaped: { body: '[{"\\u0074ensor":[4,5,6]}]' },
      arrow: { body: arrow, contentType: arrowType, accept: arrowType },
      crossed: { body: row(9, 9, 9), accept: arrowType },
    };
    for (const [name, sent] of Object.entries(requests)) send(name, sent);
    await nextTurn();
    // The float64 of the Arrow file is another column than the float32 of the JSON rows.
    expect(runs).toEqual([3]);
    vi.advanceTimersByTime(10);
    await nextTurn();
    for (const [name, { body, contentType, accept }] of Object.entries(requests)) {
      const alone = inferBytes(body, { contentType: contentType ?? recordsType, accept });
      expect(answers.get(name)?.body, name).toEqual(alone);
    }
  });
});
