import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sumModel } from '@pademelon/testing/onnx';
import { Field, FixedSizeList, Float32, Table, tableFromIPC, tableToIPC, vectorFromArray } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { podCommand, processesOf } from '../../scripts/process-tree.ts';
import { pythonProcessEnvironment } from '../../scripts/python-environment.ts';
import { sdkPython } from './support/notebook.ts';
import { logIn, type RestAnswer, type RestClient } from './support/rest-client.ts';
import { arrowType, type DeployedPipeline, deployModel, recordsType, undeploy } from './support/rest-flow.ts';

const platform = inject('platform');
let client: RestClient;
let pipeline: DeployedPipeline;
let podPids: number[];

beforeAll(async () => {
  client = await logIn(platform);
  pipeline = await deployModel(client, { modelBytes: sumModel(3) });
  podPids = pods();
});
afterAll(() => undeploy(client, pipeline));

const pods = () => processesOf(platform.pid, podCommand).map(({ pid }) => pid);

function post(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<RestAnswer> {
  return client.send(pipeline.inferenceUrl, { body, headers: { 'content-type': recordsType, ...headers } });
}

/** Every refusal names its reason in the shape of both generations, and the pod that gave it is still the same. */
async function expectRefusal(
  body: string | Uint8Array,
  expected: { status: number; words: RegExp; type?: string },
): Promise<void> {
  const type = expected.type ?? recordsType;
  const newer = await post(body, { 'content-type': type });
  expect(newer.status, newer.text).toBe(expected.status);
  const error = JSON.parse(newer.text);
  expect(error).toMatchObject({ code: expected.status, status: expect.any(String), source: expect.any(String) });
  expect(error.error).toMatch(expected.words);
  expect(error.msg).toBeTypeOf('string');
  const older = await post(body, { 'content-type': type, 'user-agent': 'python-requests/2.25.1' });
  expect(older.status).toBe(expected.status);
  const [first] = JSON.parse(older.text);
  expect(first.error).toMatch(expected.words);
  expect(first.error_type).toBeTypeOf('string');
  await expectAlive();
}

async function expectAlive(): Promise<void> {
  const answer = await post('[{"tensor":[1,2,3]}]');
  expect(answer.status, answer.text).toBe(200);
  expect(JSON.parse(answer.text)[0].out.y).toEqual([6]);
  expect(pods()).toEqual(podPids);
}

describe('Bad JSON', () => {
  const row = '[{"tensor":[1,2,3]}';
  const cases: [string, string, { status: number; words: RegExp }][] = [
    ['malformed JSON', `${row},`, { status: 400, words: /JSON/i }],
    ['an empty body', '', { status: 400, words: /empty|JSON|body/i }],
    ['a ragged tensor', `${row},{"tensor":[1,2]}]`, { status: 400, words: /row 1.*tensor|tensor.*row 1/is }],
    ['a wrong width', '[{"tensor":[1,2,3,4]}]', { status: 400, words: /tensor.*3|3.*tensor/is }],
    [
      'a string where a float belongs',
      '[{"tensor":[1,"2",3]}]',
      { status: 400, words: /row 0.*tensor|tensor.*row 0/is },
    ],
    ['NaN', '[{"tensor":[1,NaN,3]}]', { status: 400, words: /NaN|JSON/ }],
    ['Infinity', '[{"tensor":[1,Infinity,3]}]', { status: 400, words: /Infinity|JSON/ }],
    ['null where a float belongs', '[{"tensor":[1,null,3]}]', { status: 400, words: /tensor/ }],
    ['an unknown column instead of the input', '[{"nothing":[1,2,3]}]', { status: 400, words: /tensor|\bx\b/ }],
    ['a column that is missing in the second row', `${row},{"other":1}]`, { status: 400, words: /row 1/i }],
    ['zero rows', '[]', { status: 400, words: /row/ }],
    ['a number for a body', '42', { status: 400, words: /list of rows/i }],
    ['rows that are not objects', '[[1,2,3]]', { status: 400, words: /row 0|object/i }],
    ['a deep nest', `[{"tensor":${'['.repeat(100_000)}`, { status: 400, words: /./ }],
    ['a prototype for a column', '[{"__proto__":[1,2,3]}]', { status: 400, words: /./ }],
  ];
  it.each(cases)('%s is refused, naming where', async (_what, body, expected) => {
    await expectRefusal(body, expected);
  });

  it('20 MB of JSON are refused as too large', async () => {
    const rows = `[${'{"tensor":[1.00001,2.00002,3.00003]},'.repeat(560_000)}{"tensor":[1,2,3]}]`;
    expect(rows.length).toBeGreaterThan(20e6);
    await expectRefusal(rows, { status: 413, words: /MB|MiB|bytes|large/i });
  });

  it('a foreign content type is refused', async () => {
    await expectRefusal('tensor,1,2,3', { status: 415, words: /content|type/i, type: 'text/csv' });
  });
});

describe('Bad Arrow', () => {
  const arrow = (rows: number[][], width = 3) => {
    const type = new FixedSizeList(width, new Field('item', new Float32(), false));
    return tableToIPC(new Table({ tensor: vectorFromArray(rows, type) }), 'file');
  };

  it('an empty body is refused', async () => {
    await expectRefusal(new Uint8Array(), { status: 400, words: /Arrow|empty/i, type: arrowType });
  });

  it('a truncated file is refused', async () => {
    const whole = arrow(Array.from({ length: 100 }, () => [1, 2, 3]));
    for (const part of [0.1, 0.5, 0.9]) {
      const body = whole.slice(0, Math.floor(whole.length * part));
      await expectRefusal(body, { status: 400, words: /Arrow/i, type: arrowType });
    }
  });

  it('a file with a broken middle gives an answer or a refusal, never a dead pod', async () => {
    const whole = arrow(Array.from({ length: 10 }, () => [1, 2, 3]));
    for (let offset = 0; offset < whole.length; offset += 7) {
      const broken = whole.slice();
      broken[offset]! ^= 0xff;
      const answer = await post(broken, { 'content-type': arrowType, accept: arrowType });
      expect([200, 400, 413], `byte ${offset}: ${answer.text.slice(0, 200)}`).toContain(answer.status);
    }
    await expectAlive();
  });

  it('zero rows and a wrong width are refused', async () => {
    await expectRefusal(arrow([]), { status: 400, words: /row/i, type: arrowType });
    await expectRefusal(arrow([[1, 2, 3, 4]], 4), { status: 400, words: /tensor/, type: arrowType });
  });

  it('LZ4 and zstd compressed files work', async ({ skip }) => {
    const python = await sdkPython('2026');
    if (typeof python !== 'string') return skip(python.missing);
    for (const codec of ['lz4', 'zstd']) {
      const answer = await post(await compressedArrow(python, codec), { 'content-type': arrowType, accept: arrowType });
      expect(answer.status, `${codec}: ${answer.text.slice(0, 300)}`).toBe(200);
      const out = tableFromIPC(answer.bytes).getChild('out')!;
      expect(Array.from(out.get(999)!.toJSON().y)).toEqual([6]);
    }
    await expectAlive();
  });

  async function compressedArrow(python: string, codec: string): Promise<Buffer> {
    const folder = await mkdtemp(join(tmpdir(), 'pademelon-arrow-'));
    const script = `
import pyarrow as pa, sys
table = pa.table({"tensor": pa.array([[1.0, 2.0, 3.0]] * 1000, type=pa.list_(pa.float32(), 3))})
options = pa.ipc.IpcWriteOptions(compression=sys.argv[2])
with pa.OSFile(sys.argv[1], "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
    writer.write_table(table)
`;
    try {
      await writeFile(join(folder, 'write.py'), script);
      const arguments_ = [join(folder, 'write.py'), join(folder, 'table.arrow'), codec];
      await promisify(execFile)(python, arguments_, { env: pythonProcessEnvironment() });
      return await readFile(join(folder, 'table.arrow'));
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  }
});
