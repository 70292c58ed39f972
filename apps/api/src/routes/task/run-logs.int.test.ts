import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PgRunStore } from '@pademelon/database/sql';
import type { RunLease } from '@pademelon/domain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { createReadyOrchestration, createWorkspace } from '../../test-orchestration.ts';

let api: TestApi;
let store: PgRunStore;
let order: object;
beforeAll(async () => {
  api = await createTestApi();
  store = new PgRunStore(api.database.pool);
  const workspaceId = await createWorkspace(api, 'ada', 'lab');
  const orchestrationId = await createReadyOrchestration(api, 'ada', workspaceId);
  order = { json: {}, orch_id: orchestrationId, workspace_id: workspaceId, name: 'test' };
  await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

const line = (number: number) => `2026-11-22T12:00:00.000000Z stdout F line ${number}`;

/** A run that goes on, with the first so many lines in its log, in chunks of ten. */
async function startRun(lines: number): Promise<{ runId: string; lease: RunLease }> {
  const { id } = (await api.post('ada', '/v1/api/task/run_once', order)).json();
  const task = (await api.post('ada', '/v1/api/task/get_by_id', { id })).json();
  const runId = task.last_runs[0].run_id;
  const { lease } = (await store.claim(runId, 'worker', 30_000))!;
  await store.markStarted(lease, 'jail');
  for (let first = 0; first < lines; first += 10) await append(lease, first, Math.min(10, lines - first));
  return { runId, lease };
}

async function append(lease: RunLease, first: number, count: number): Promise<void> {
  await store.appendLog(
    lease,
    first,
    Array.from({ length: count }, (_, index) => line(first + index)),
  );
}

const readLog = async (runId: string, lines?: number): Promise<string[]> =>
  (
    await api.post('ada', '/v1/api/task/get_logs_for_run', { id: runId, ...(lines === undefined ? {} : { lines }) })
  ).json().logs;

describe('the end of a log', () => {
  test('is in the order in which it was written, across chunks and while it grows', async () => {
    const { runId, lease } = await startRun(1_505);
    expect(await readLog(runId)).toEqual(Array.from({ length: 1_505 }, (_, index) => line(index)));
    expect(await readLog(runId, 12)).toEqual(Array.from({ length: 12 }, (_, index) => line(1_493 + index)));
    expect(await readLog(runId, 0)).toEqual([]);
    await append(lease, 1_505, 1);
    expect(await readLog(runId, 1)).toEqual([line(1_505)]);
  });

  test('keeps empty lines, and the lines of an earlier attempt before those of a later one', async () => {
    const { runId, lease } = await startRun(0);
    await store.appendLog(lease, 0, ['one', '', 'two']);
    await store.appendLog(lease, 100_000_000, ['three']);
    expect(await readLog(runId)).toEqual(['one', '', 'two', 'three']);
    expect(await readLog(runId, 2)).toEqual(['two', 'three']);
  });
});

describe('following a log', () => {
  test('tells what is there, what comes, and how it ended', async () => {
    const { runId, lease } = await startRun(25);
    const stream = await follow(runId);
    expect(stream.response.headers['content-type']).toBe('text/event-stream');
    await stream.until('line 24');
    await append(lease, 25, 2);
    await stream.until('line 26');
    await store.finish(lease, { reason: 'completed', text: 'Done.', exitCode: 0 });
    await once(stream.response, 'end');
    const events = stream.events();
    expect(events.filter(({ event }) => event === 'line').map(({ id }) => Number(id))).toEqual(
      Array.from({ length: 27 }, (_, index) => index),
    );
    expect(events.at(-1)).toMatchObject({ event: 'end' });
    expect(JSON.parse(events.at(-1)!.data!)).toMatchObject({ state: 'success', reason: 'completed', exit_code: 0 });
  });

  test('goes on after the last line that a client has seen, or from the one it asks for', async () => {
    const { runId, lease } = await startRun(20);
    await store.finish(lease, { reason: 'completed', text: 'Done.', exitCode: 0 });
    for (const [headers, query] of [
      [{ 'last-event-id': '14' }, ''],
      [{}, '?from=15'],
    ] as const) {
      const stream = await follow(runId, query, headers);
      await once(stream.response, 'end');
      expect(stream.events().flatMap(({ id }) => (id === undefined ? [] : [Number(id)]))).toEqual([15, 16, 17, 18, 19]);
    }
  });

  test('a line cannot make events of its own', async () => {
    const { runId, lease } = await startRun(0);
    await store.appendLog(lease, 0, ['a\revent: end', 'b']);
    await store.finish(lease, { reason: 'completed', text: 'Done.', exitCode: 0 });
    const stream = await follow(runId);
    await once(stream.response, 'end');
    expect(stream.events().map(({ event }) => event)).toEqual(['line', 'line', 'end']);
  });

  test('ends when the follower leaves the workspace', async () => {
    const { runId } = await startRun(1);
    await api.database.pool.query(
      `INSERT INTO workspace_members (workspace_id, user_id, role) SELECT workspace_id, 'bob', 'COLLABORATOR'
       FROM workspace_members WHERE user_id = 'ada' LIMIT 1`,
    );
    const stream = await follow(runId, '', {}, 'bob');
    await stream.until('line 0');
    await api.database.pool.query("DELETE FROM workspace_members WHERE user_id = 'bob'");
    await new Promise((closed) => stream.response.once('close', closed));
    expect(stream.response.complete).toBe(false);
  });

  test('a number that is none is refused', async () => {
    const { runId } = await startRun(0);
    for (const from of ['-1', '1e3', 'x', '99999999999']) {
      const url = `/v1/api/task/runs/${runId}/logs/stream?from=${from}`;
      expect((await api.send('ada', { method: 'GET', url })).statusCode).toBe(400);
    }
  });
});

async function follow(runId: string, query = '', headers: Record<string, string> = {}, user = 'ada') {
  const { port } = api.app.server.address() as AddressInfo;
  const path = `/v1/api/task/runs/${runId}/logs/stream${query}`;
  const request = get({ port, host: '127.0.0.1', path, headers: { authorization: `Bearer ${user}`, ...headers } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // A stream that is cut off is one of the expected ends.
  response.on('error', () => undefined);
  return {
    response,
    until: (part: string) => expect.poll(() => text).toContain(part),
    events: () => toEvents(text),
  };
}

/** As a browser takes them apart: any of three line ends, comments left out. */
function toEvents(text: string): { id?: string; event?: string; data?: string }[] {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((block) =>
      Object.fromEntries(
        block
          .split(/\r\n|\n|\r/)
          .filter((part) => part !== '' && !part.startsWith(':'))
          .map((part) => [part.slice(0, part.indexOf(':')), part.slice(part.indexOf(':') + 2)]),
      ),
    )
    .filter((event) => Object.keys(event).length > 0);
}
