import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createLogTestBench,
  type LogAnswer,
  type LogTestBench,
  numberedRows,
  numbersOf,
  type ReadOptions,
} from './log-test-bench.ts';

let bench: LogTestBench;

beforeAll(async () => {
  bench = await createLogTestBench();
  const pod = bench.openPod();
  // Six batches of 50 rows in ten records.
  for (let batch = 0; batch < 6; batch++) {
    for (let record = 0; record < 10; record++) pod.write(numberedRows(batch * 50 + record * 5, 5));
    pod.flush();
    await bench.stored((batch + 1) * 50);
  }
});

afterAll(() => bench.close());

async function readAll(parameters: Record<string, string>, options: ReadOptions = {}) {
  const answers: LogAnswer[] = [];
  for (let iterator: object | null = options.iterator ?? {}; iterator !== null; ) {
    const answer: LogAnswer = await bench.read('ada', parameters, { ...options, iterator });
    answers.push(answer);
    iterator = answer.next;
  }
  return answers;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('the newest 100 rows come first, with the columns of the 2026 generation', async () => {
  const answer = await bench.read('ada', { order: 'desc', 'dataset.separator': '.', 'dataset.exclude[]': 'metadata' });
  expect(numbersOf(answer)).toHaveLength(100);
  expect(answer.table.schema.fields.map(({ name }) => name)).toEqual([
    'time',
    'in.tensor',
    'out.variable',
    'anomaly.count',
    'anomaly.too-dear',
  ]);
  expect(answer.status).toBe('RecordLimited');
  expect(answer.table.get(0)!.toJSON()['time']).toBe(1_700_000_000_295n);
  const counts = Array.from(answer.table.getChild('anomaly.count')!);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
});

test('the 2023 generation gets check_failures, a list for every row', async () => {
  const parameters = { order: 'desc', page_size: '5', 'dataset.separator': '.' };
  const { table } = await bench.read('ada', parameters, { userAgent: 'WallarooSDK/2023.2.0' });
  expect(table.schema.fields.map(({ name }) => name)).toContain('check_failures');
  const lists = Array.from(table.getChild('check_failures')!, (list) => [...list]);
  expect(lists.filter((names) => names.length > 0)).toEqual([['too-dear']]);
  expect(table.getChild('metadata.last_model')!.get(0)).toBe('{"model_name":"house-model","model_sha":"abc"}');
});

test.each(['asc', 'desc'])('pages in the order %s give every row once, while more are written', async (order) => {
  const pod = bench.openPod();
  const before = bench.collector.stats().writtenRows;
  const numbers: number[] = [];
  let written = before;
  for (let iterator: object | null = {}; iterator !== null; ) {
    const answer: LogAnswer = await bench.read(
      'ada',
      { order, page_size: '37', 'dataset.separator': '.' },
      { iterator },
    );
    numbers.push(...numbersOf(answer));
    iterator = answer.next;
    if (written < before + 60) {
      pod.write(numberedRows(written, 20));
      pod.flush();
      written += 20;
      await bench.stored(written);
    }
  }
  expect(new Set(numbers).size).toBe(numbers.length);
  const expected = order === 'asc' ? upTo(written) : upTo(before);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(expected);
});

test('a window is answered oldest first and whole, both ends included', async () => {
  const window = { 'time.start': '2023-11-14T22:13:20.010+00:00', 'time.end': '2023-11-14T22:13:20.150000+00:00' };
  const answer = await bench.read('ada', { ...window, 'dataset.separator': '.' });
  expect(answer.status).toBe('All');
  expect(answer.next).toBeNull();
  expect(numbersOf(answer)).toEqual(upTo(155).slice(10));
  const limited = await bench.read('ada', { ...window, page_size: '12', 'dataset.separator': '.' });
  expect(numbersOf(limited)).toEqual(upTo(22).slice(10));
  expect(limited.status).toBe('RecordLimited');
});

test('the failures topic has the rows that failed a check and numbers of its own', async () => {
  const topic = `${bench.topic}-failures`;
  const total = bench.collector.stats().writtenRows;
  const failed = upTo(total).filter((n) => n % 5 === 0);
  const described = await bench.api.send('ada', { url: `/v1/logs/topic/${topic}` });
  expect(described.json()).toEqual({
    partitions: { [`pipeline-${bench.pipelineId}`]: { start: 0, end: failed.length } },
  });
  const answers = await readAll({ page_size: '7', 'dataset.separator': '.' }, { topic });
  expect(answers.flatMap(numbersOf)).toEqual(failed);
  expect(answers.at(-1)!.status).toBe('All');
});

test('raw logs start at a position and are nested where no separator is given', async () => {
  const described = await bench.api.send('ada', { url: `/v1/logs/topic/${bench.topic}` });
  const [name, span] = Object.entries(described.json().partitions)[0] as [string, { end: number }];
  expect(span.end).toBe(bench.collector.stats().writtenRows);
  const { table, next } = await bench.read(
    'ada',
    { page_size: '10', 'dataset[]': '*' },
    { iterator: { [name]: span.end - 10 } },
  );
  expect(next).toBeNull();
  expect(table.numRows).toBe(10);
  const row = table.get(9)!.toJSON() as Record<string, { toJSON(): Record<string, unknown> }>;
  expect(Object.keys(row)).toEqual(['time', 'in', 'out', 'anomaly', 'metadata']);
  expect(row['metadata']!.toJSON()['last_model']).toContain('house-model');
});

test('a page ends where the columns change, and the next one goes on behind', async () => {
  const pod = bench.openPod({ pipelineId: bench.pipelineId });
  const before = bench.collector.stats().writtenRows;
  const plain = numberedRows(before, 2);
  const index = { name: 'in.index', type: 'utf8', rowShape: [], values: ['a', 'b'] } as const;
  pod.write({ ...plain, timeMs: plain.timeMs + 1_000, columns: [index, ...plain.columns] });
  pod.flush();
  await bench.stored(before + 2);
  const newest = await bench.read('ada', { order: 'desc', 'dataset.separator': '.' });
  expect(newest.status).toBe('SchemaChange');
  expect(newest.table.getChild('in.index')!.toArray()).toEqual(['b', 'a']);
  const older = await bench.read(
    'ada',
    { order: 'desc', page_size: '1000', 'dataset.separator': '.' },
    { iterator: newest.next! },
  );
  expect(older.status).toBe('All');
  expect(older.table.numRows).toBe(before);
});

test('the topic of a model has only rows of workspaces that the caller is in', async () => {
  const topic = 'model-house-model-inference';
  const before = bench.collector.stats().writtenRows;
  const workspace = await bench.api.post('bob', '/v1/api/workspaces/create', { workspace_name: 'other lab' });
  const { rows } = await bench.api.database.pool.query(
    `INSERT INTO pipelines (workspace_id, name, owner_id) VALUES ($1, 'theirs', 'bob') RETURNING id`,
    [workspace.json().workspace_id],
  );
  const pod = bench.openPod({ pipelineId: rows[0].id });
  pod.write(numberedRows(9_000, 3));
  pod.flush();
  await bench.stored(before + 3);
  const asBob = await bench.read('bob', { order: 'desc', 'dataset.separator': '.' }, { topic });
  expect(numbersOf(asBob)).toEqual([9_000, 9_001, 9_002].toReversed());
  const asAda = await readAll({ page_size: '500', order: 'asc', 'dataset.separator': '.' }, { topic });
  expect(asAda.flatMap(({ table }) => [...table]).length).toBe(before);
});

test('foreign and unknown topics are answered alike', async () => {
  const foreign = await bench.api.send('bob', { url: `/v1/logs/topic/${bench.topic}` });
  const unknown = await bench.api.send('ada', { url: '/v1/logs/topic/workspace-99-pipeline-house-price-inference' });
  expect([foreign.statusCode, unknown.statusCode]).toEqual([404, 404]);
  const neutral = (text: string) => text.replace(/workspace-\d+/, '').replace(/"request_id":"[^"]+"/, '');
  expect(neutral(foreign.body)).toBe(neutral(unknown.body));
  for (const topic of [
    'nonsense',
    'model-nowhere-inference',
    'model-%00-inference',
    'workspace-9999999999-pipeline-x-inference',
  ]) {
    const answer = await bench.api.send('ada', { url: `/v1/logs/topic/${topic}` });
    expect([topic, answer.statusCode]).toEqual([topic, 404]);
  }
});

test('a pipeline that has logged nothing has an empty page with a time column', async () => {
  await bench.api.database.pool.query(
    `INSERT INTO pipelines (workspace_id, name, owner_id) VALUES ($1, 'quiet', 'ada')`,
    [bench.workspaceId],
  );
  const topic = `workspace-${bench.workspaceId}-pipeline-quiet-inference`;
  const { table, status, next } = await bench.read('ada', { order: 'desc' }, { topic });
  expect(table.numRows).toBe(0);
  expect(table.schema.fields.map(({ name }) => name)).toEqual(['time']);
  expect({ status, next }).toEqual({ status: 'All', next: null });
});

test.each([
  { page_size: '0' },
  { page_size: 'ten' },
  { order: 'newest' },
  { 'time.start': 'yesterday' },
  { 'time.end': '2023-13-01T00:00:00Z' },
])('the parameters %j are refused', async (parameters) => {
  await expect(bench.read('ada', parameters)).rejects.toThrow(/^400 /);
});

test.each([[{ other: 1 }], [{ 'pipeline-1': -1 }], [[1]], ['next']])('the iterator %j is refused', async (iterator) => {
  await expect(bench.read('ada', {}, { iterator: iterator as object })).rejects.toThrow(/^400 /);
});

test('get_topic_name names the topic of a pipeline in a workspace of the caller', async () => {
  const ask = (user: string) =>
    bench.api.post(user, '/v1/api/plateau/get_topic_name', { pipeline_pk_id: bench.pipelineId });
  expect((await ask('ada')).json()).toEqual({ topic_name: bench.topic });
  expect((await ask('bob')).statusCode).toBe(404);
});

test('without Arrow the 2023 generation gets JSON texts in the classic shape', async () => {
  const answer = await bench.api.send('ada', {
    method: 'POST',
    url: `/v1/logs/topic/${bench.topic}/records`,
    query: { limit: '2' },
    payload: { [`pipeline-${bench.pipelineId}`]: 4 },
    headers: { accept: 'application/json' },
  });
  const { records, next, status } = answer.json();
  expect({ next, status }).toEqual({ next: { [`pipeline-${bench.pipelineId}`]: 6 }, status: 'RecordLimited' });
  expect(records.map((text: string) => JSON.parse(text))[1]).toEqual({
    model_name: 'house-model',
    model_version: 'abc',
    pipeline_name: 'house-price',
    outputs: [{ Double: { v: 1, dim: [1, 1], data: [5] } }],
    elapsed: [1_500, 2_500],
    time: 1_700_000_000_005,
    original_data: { tensor: [5, 0.1] },
    check_failures: ['too-dear'],
    shadow_data: {},
  });
});

test('get_logs pages by its cursor in the shapes of both generations', async () => {
  const ask = (payload: object) =>
    bench.api.post('ada', '/v1/api/pipelines/get_logs', { workspace_id: bench.workspaceId, page_size: 3, ...payload });
  const first = await ask({ pipeline_id: 'house-price', order: 'Asc' });
  expect(first.headers['content-type']).toBe('application/json; format=pandas-records');
  expect(first.headers['x-iteration-status']).toBe('RecordLimited');
  expect(first.json()[0]).toEqual({
    time: 1_700_000_000_000,
    in: { tensor: [0, 0.1] },
    out: { variable: [0] },
    check_failures: ['too-dear'],
    metadata: {
      last_model: '{"model_name":"house-model","model_sha":"abc"}',
      pipeline_version: '6a3b6d5c-0000-4000-8000-000000000001',
      elapsed: [1_500, 2_500],
      dropped: [],
      partition: 'pod-0',
    },
  });
  const cursor = first.headers['x-iteration-cursor'];
  const second = await ask({ pipeline_name: 'house-price', order: 'asc', cursor });
  expect(second.json().map(({ out }: { out: { variable: number[] } }) => out.variable[0])).toEqual([3, 4, 5]);
  expect(second.json()[2].anomaly).toEqual({ count: 1, 'too-dear': true });
  expect((await ask({ pipeline_name: 'house-price', cursor: 'x' })).statusCode).toBe(400);
  expect((await ask({})).statusCode).toBe(400);
  expect((await ask({ pipeline_name: 'nothing' })).statusCode).toBe(404);
});
