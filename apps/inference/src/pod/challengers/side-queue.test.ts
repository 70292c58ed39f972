import type { LogRecord } from '@pademelon/inference-log/frames';
import { waitUntil } from '@pademelon/testing';
import { identityModel } from '@pademelon/testing/onnx';
import { afterEach, expect, it } from 'vitest';
import type { Challenger, SideOutputs } from '../pipeline-steps/pipeline-step.ts';
import { pipelineBench, recordsType, sdkQuery } from '../pod-bench.ts';
import { PlanCache } from '../request-plan.ts';
import { SideQueue } from './side-queue.ts';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

/** A queue without a socket whose challenger gives its results when the test says so. */
async function setup({ isAudited = false, turnMs = Number.POSITIVE_INFINITY } = {}) {
  const settling: ((outputs: SideOutputs) => void)[] = [];
  const challenger: Challenger = {
    run: () => {
      const { promise, resolve } = Promise.withResolvers<SideOutputs>();
      settling.push(resolve);
      return promise;
    },
  };
  const same = { name: 'same', file: identityModel('float32', ['N', 1]) };
  const bench = await pipelineBench(
    [same, { ...same, name: 'other' }],
    (models) => [
      { ModelInference: { models } },
      { AuditResults: { from: 1, to: null } },
      isAudited ? { Nth: { index: 0 } } : { MultiOut: {} },
    ],
    { challenger: () => challenger },
  );
  removals.push(bench.remove);
  const events: string[] = [];
  const faults: unknown[] = [];
  const queue = new SideQueue({
    dataPlane: bench.dataPlane,
    flushLog: () => {
      if (bench.records.length > 0) events.push(`flush ${bench.records.splice(0).length}`);
    },
    onFault: (error) => faults.push(error),
    turnMs,
  });
  const plan = new PlanCache().get({
    target: sdkQuery,
    contentType: recordsType,
    accept: undefined,
    userAgent: undefined,
  });
  const send = (name: string, { body = '[{"tensor":[1]}]', isClosed = false, deadlineMs = 60_000 } = {}): void => {
    const answer = (...parts: readonly Buffer[]): void => {
      const text = Buffer.concat(parts).toString();
      events.push(`${name} ${text.slice(9, 12)}${text.includes('out_other') ? ' with other' : ''}`);
    };
    const deadlineAtMs = performance.now() + deadlineMs;
    queue.add({ plan, body: Buffer.from(body), requestId: '', connection: { isClosed, answer }, deadlineAtMs });
  };
  /** The turns that are due now, and those that they make due. */
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const outputs: SideOutputs = [{ name: 'y', type: 'float32', rowShape: [1], values: Float32Array.of(7) }];
  return { bench, queue, events, faults, send, turns, settling, outputs };
}

/** What is handed over from now on. */
function keepRecords(records: LogRecord[]): LogRecord[] {
  const kept: LogRecord[] = [];
  records.splice = () => {
    kept.push(...records);
    records.length = 0;
    return [];
  };
  return kept;
}

it('lets other requests run while an answer waits, and hands its record over before it', async () => {
  const { send, turns, events, settling, outputs, queue } = await setup();
  send('first');
  send('second');
  await turns();
  expect(events).toEqual([]);
  expect(queue.queued).toBe(2);
  settling[1]!(outputs);
  await turns();
  expect(events).toEqual(['flush 1', 'second 200 with other']);
  settling[0]!(null);
  await turns();
  expect(events.slice(2)).toEqual(['flush 1', 'first 200']);
  expect(queue).toMatchObject({ queued: 0, requests: 2, errors: 0 });
});

it('does not wait for results that are slow, and logs them when they are there', async () => {
  const { send, turns, events, settling, outputs, queue, bench } = await setup();
  send('first');
  await waitUntil('it is answered without', () => events.length > 0);
  expect(events).toEqual(['first 200']);
  // Nor does the next one, since the last results were slow.
  settling[0]!(outputs);
  await waitUntil('the first is logged', () => events.includes('flush 1'));
  send('second');
  await waitUntil('it is answered, too', () => events.includes('second 200'));
  expect(queue.queued).toBe(0);
  const kept = keepRecords(bench.records);
  settling[1]!(outputs);
  await queue.settled();
  expect(kept).toMatchObject([
    { columns: [{ name: 'in.tensor' }, { name: 'out.y' }, { name: 'out_other.y' }], dropped: [] },
  ]);
  await turns();
  expect(queue).toMatchObject({ queued: 0, requests: 2, errors: 0 });
});

it('answers at once where results are only logged, and logs when they are there', async () => {
  const { send, turns, events, settling, outputs, queue } = await setup({ isAudited: true });
  send('first');
  await turns();
  expect(events).toEqual(['first 200']);
  let isSettled = false;
  const settled = queue.settled().then(() => {
    isSettled = true;
  });
  await turns();
  expect(isSettled).toBe(false);
  settling[0]!(outputs);
  await settled;
  expect(events).toEqual(['first 200', 'flush 1']);
});

it('keeps the rows of each request while others are read', async () => {
  const { send, turns, settling, outputs, bench } = await setup({ isAudited: true });
  send('first', { body: '[{"tensor":[1]}]' });
  send('second', { body: '[{"tensor":[2]}]' });
  const kept = keepRecords(bench.records);
  await turns();
  for (const settle of settling) settle(outputs);
  await turns();
  expect(kept.map(({ columns }) => columns.map(({ values }) => [...values]))).toEqual([
    [[1], [1], [7]],
    [[2], [2], [7]],
  ]);
});

it('answers bad input at once, and late requests without running them', async () => {
  const { send, turns, events, settling, queue } = await setup();
  send('bad', { body: '[{"tensor":["x"]}]' });
  send('late', { deadlineMs: -1 });
  await turns();
  expect(events).toEqual(['bad 400', 'late 504']);
  expect(settling).toHaveLength(0);
  expect(queue).toMatchObject({ queued: 0, requests: 2, errors: 2 });
});

it('neither runs nor logs for callers that are gone', async () => {
  const { send, turns, events, settling } = await setup();
  send('gone', { isClosed: true });
  await turns();
  expect([events, settling.length]).toEqual([[], 0]);
});

it('ends a turn when its time is over, and goes on in the next', async () => {
  const { send, turns, settling } = await setup({ turnMs: 0 });
  for (const name of ['a', 'b', 'c']) send(name);
  await new Promise((resolve) => setImmediate(resolve));
  expect(settling).toHaveLength(1);
  await turns();
  expect(settling).toHaveLength(3);
});
