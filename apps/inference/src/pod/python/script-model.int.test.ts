import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Column } from '@pademelon/contracts';
import type { Environment, SandboxStatus } from '@pademelon/workbench';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ScriptModel } from './script-model.ts';
import { findEnvironment, findSandbox, placeScript, type ScriptOptions, unsandboxed } from './script-test-bench.ts';

let environment: Environment;
let sandbox: SandboxStatus;
const cleanups: (() => void)[] = [];
beforeAll(async () => {
  environment = await findEnvironment();
  sandbox = await findSandbox();
}, 600_000);
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Setup extends Partial<Omit<ScriptOptions, 'environment'>> {
  readonly runDeadlineMs?: number;
}

function setup(code: string, { runDeadlineMs = 20_000, ...options }: Setup = {}) {
  const { program, remove } = placeScript(code, { sandbox, environment, ...options });
  const lines: string[] = [];
  const onLine = (line: string): void => void lines.push(line);
  const script = new ScriptModel({
    model: { name: 'post', python: program },
    runDeadlineMs,
    onLine,
  });
  cleanups.push(() => script.stop(), remove);
  return { script, lines };
}

const dense: Column = { name: 'dense_2', type: 'float32', rowShape: [1], values: Float32Array.of(1.5, 2.5) };
const ids: Column = { name: 'id', type: 'int64', rowShape: [], values: BigInt64Array.of(7n, 8n) };
const names: Column = { name: 'name', type: 'utf8', rowShape: [], values: ['Ada', 'Grace'] };
const rows = [dense, ids, names];

/** What a script with this body makes of the rows above. */
async function columnsOf(code: string, options?: Setup): Promise<Column[]> {
  return setup(code, options).script.run(rows, 2);
}

const frame = (body: string): string =>
  `import pandas as pd\nimport numpy as np\ndef wallaroo_json(data: pd.DataFrame):\n    ${body}\n`;
const dict = (body: string): string =>
  `import numpy as np\nfrom mac.types import InferenceData\ndef process_data(input_data: InferenceData) -> InferenceData:\n    ${body}\n`;

describe('what a script gets and gives', () => {
  test('wallaroo_json takes a DataFrame and gives one dict for each row', async () => {
    const code = frame(
      'return [{"output": [cell[0] * 2], "who": name} for cell, name in zip(data["dense_2"], data["name"])]',
    );
    expect(await columnsOf(code)).toEqual([
      { name: 'output', type: 'float64', rowShape: [1], values: Float64Array.of(3, 5) },
      { name: 'who', type: 'utf8', rowShape: [], values: ['Ada', 'Grace'] },
    ]);
  });

  test('wallaroo_json may give a DataFrame', async () => {
    const code = frame('return data[["id"]].assign(big=data["id"] > 7, day=pd.to_datetime("2026-11-22"))');
    expect(await columnsOf(code)).toEqual([
      ids,
      { name: 'big', type: 'bool', rowShape: [], values: Uint8Array.of(0, 1) },
      { name: 'day', type: 'utf8', rowShape: [], values: Array(2).fill('2026-11-22T00:00:00.000000000') },
    ]);
  });

  test('wallaroo_json may give one dict for one row, with lists as long as it likes', async () => {
    const { script } = setup(frame('return {"forecast": [1, 2, 3], "mean": 2.5}'));
    expect(await script.run([{ ...ids, values: BigInt64Array.of(1n) }], 1)).toEqual([
      { name: 'forecast', type: 'int64', rowShape: [3], values: BigInt64Array.of(1n, 2n, 3n) },
      { name: 'mean', type: 'float64', rowShape: [], values: Float64Array.of(2.5) },
    ]);
  });

  test('process_data takes and gives a dict of arrays, whose first dimension are the rows', async () => {
    const code = dict(
      'return {"twice": input_data["dense_2"] * 2, "upper": np.char.upper(input_data["name"].astype(str))}',
    );
    expect(await columnsOf(code)).toEqual([
      { name: 'twice', type: 'float32', rowShape: [1], values: Float32Array.of(3, 5) },
      { name: 'upper', type: 'utf8', rowShape: [], values: ['ADA', 'GRACE'] },
    ]);
  });

  test('lists of differing lengths go in and out as they are', async () => {
    const { script } = setup(dict('return {"same": input_data["ragged"]}'));
    const offsets = Int32Array.of(0, 1, 4);
    const ragged: Column = {
      name: 'ragged',
      type: 'int32',
      rowShape: [-1],
      values: Int32Array.of(1, 2, 3, 4),
      offsets,
    };
    expect(await script.run([ragged], 2)).toEqual([{ ...ragged, name: 'same' }]);
  });

  test('files beside the script are read by relative path, modules beside it are imported', async () => {
    const files = { 'factor.txt': '3', 'tools.py': 'def times(x, y): return x * y' };
    const code = dict('return {"thrice": tools.times(input_data["id"], int(open("factor.txt").read()))}');
    expect(await columnsOf(`import tools\n${code}`, { files })).toEqual([
      { ...ids, name: 'thrice', values: BigInt64Array.of(21n, 24n) },
    ]);
  });

  // pa.schema([pa.field("dense_2", pa.list_(pa.float32()))])
  const inputSchema =
    '/////6gAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAEAAAA0P///wAAAQwUAAAAIAAAAAQAAAABAAAAKAAAAAcAAABkZW5zZV8yAAQABAAEAAAAEAAUAAgABgAHAAwAAAAQABAAAAAAAAEDEAAAABwAAAAEAAAAAAAAAAQAAABpdGVtAAAGAAgABgAGAAAAAAABAAAAAAA=';
  // pa.schema([pa.field("output", pa.list_(pa.float64())), pa.field("label", pa.string())])
  const outputSchema =
    '/////9AAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAIAAAAwAAAABAAAAKj///8AAAEFEAAAABgAAAAEAAAAAAAAAAUAAABsYWJlbAAAANT////Q////AAABDBQAAAAgAAAABAAAAAEAAAAoAAAABgAAAG91dHB1dAAABAAEAAQAAAAQABQACAAGAAcADAAAABAAEAAAAAAAAQMQAAAAHAAAAAQAAAAAAAAABAAAAGl0ZW0AAAYACAAGAAYAAAAAAAIA';

  test('schemas choose, name and type what goes in', async () => {
    const code = dict('assert list(input_data) == ["dense_2"]; return {"y": input_data["dense_2"]}');
    const { script } = setup(code, { inputSchema });
    const sent: Column[] = [{ ...dense, name: 'dense_2', type: 'float64', values: Float64Array.of(1.5, 2.5) }, names];
    expect(await script.run(sent, 2)).toEqual([{ ...dense, name: 'y' }]);
    await expect(script.run([ids, names], 2)).rejects.toThrow(
      "Its input schema names 'dense_2', but there is 'id', 'name'.",
    );
  });

  test('schemas choose, order and type what comes out', async () => {
    const code = dict('return {"label": ["a", "b"], "more": input_data["id"], "output": input_data["id"]}');
    expect(await columnsOf(code, { outputSchema })).toEqual([
      { name: 'output', type: 'float64', rowShape: [1], values: Float64Array.of(7, 8) },
      { name: 'label', type: 'utf8', rowShape: [], values: ['a', 'b'] },
    ]);
    await expect(columnsOf(dict('return {"label": ["a", "b"]}'), { outputSchema })).rejects.toThrow(
      "Its output schema names 'output', but there is 'label'.",
    );
  });
});

describe('what a script does wrong is told', () => {
  test.each([
    [
      'an exception, with its line',
      frame('return data["nothing"]'),
      "failed on this input: KeyError: 'nothing' (step.py, line 4)",
    ],
    ['a wrong number of rows', frame('return [{"a": 1}]'), "Its output 'a' has 1 rows, but the request has 2."],
    [
      'nothing returned',
      frame('pass'),
      'wallaroo_json must return a DataFrame, a list of dicts or a dict, not NoneType.',
    ],
    ['a wrong return', dict('return input_data["id"]'), 'process_data must return a dict of arrays, not ndarray.'],
    ['no columns', dict('return {}'), 'process_data returned no columns.'],
    ['rows of differing keys', frame('return [{"a": 1}, {"b": 1}]'), 'returned other keys in row 1 than in row 0.'],
    ['a missing value', frame('return [{"a": "x"}, {"a": None}]'), "Its output 'a' has no value in row 1."],
    ['values without a type', frame('return [{"a": {}}, {"a": {}}]'), "Its output 'a' holds dict; use numbers, texts"],
    ['an exit', frame('raise SystemExit("enough")'), 'failed on this input: SystemExit: enough'],
  ])('%s', async (_, code, sentence) => {
    const { script } = setup(code);
    await expect(script.run(rows, 2)).rejects.toMatchObject({
      word: 'model_rejected',
      message: expect.stringContaining(sentence),
    });
  });

  test.each([
    [
      'no entry point',
      'def predict(x): return x',
      'step.py defines neither process_data(input_data: InferenceData) nor wallaroo_json',
    ],
    ['a syntax error', 'def wallaroo_json(data):\nreturn data', 'IndentationError: expected an indented block'],
    [
      'a missing module',
      'import nowhere_to_be_found',
      "ModuleNotFoundError: No module named 'nowhere_to_be_found' (step.py, line 1)",
    ],
    ['an end while it is loaded', 'import os\nos._exit(3)', 'cannot be loaded: its process ended with status 3.'],
  ])('%s, when it is loaded', async (_, code, sentence) => {
    const { script } = setup(code);
    const failure = await script.started.catch((error: Error) => error);
    expect(failure).toMatchObject({ word: 'model_rejected', message: expect.stringContaining(sentence) });
    expect((failure as Error).message).not.toContain('/');
  });

  test('a wrong script does not harm the next request', async () => {
    const { script } = setup(frame('return [{"a": 1 / value} for value in data["id"]]'));
    await expect(script.run([{ ...ids, values: BigInt64Array.of(0n) }], 1)).rejects.toThrow('division by zero');
    const pid = script.pid;
    expect(await script.run([ids], 2)).toHaveLength(1);
    expect(script.pid).toBe(pid);
  });
});

test('what a script prints goes to the log, wherever it prints it', async () => {
  const { script, lines } = setup(
    `import os, sys\nprint("loading")\n${dict('print("a"); sys.stderr.write("b\\n"); os.write(1, b"c\\n"); assert sys.stdin.read() == ""; return input_data')}`,
  );
  expect(await script.run([ids], 2)).toEqual([ids]);
  script.stop();
  await expect.poll(() => lines.filter((line) => !line.startsWith('[')).sort()).toEqual(['a', 'b', 'c', 'loading']);
});

describe('faults', () => {
  const hangs = dict('\n    while input_data["id"][0] == 0: pass\n    return input_data');
  const zero: Column = { ...ids, values: BigInt64Array.of(0n, 0n) };

  test('a script that hangs is ended at the deadline, and those behind it are served by a new process', async () => {
    const { script } = setup(hangs, { runDeadlineMs: 5_000 });
    await script.started;
    const pid = script.pid!;
    const startedAt = performance.now();
    const stuck = script.run([zero], 2).catch((error: Error) => error);
    expect(await stuck).toMatchObject({
      word: 'deadline_exceeded',
      message: expect.stringContaining('ran longer than the 5 s'),
    });
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    expect(await script.run([ids], 2)).toEqual([ids]);
    expect(script.pid).not.toBe(pid);
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  });

  test('a request that waits too long behind others gets its own deadline', async () => {
    const { script } = setup(dict('import time; time.sleep(1); return input_data'), { runDeadlineMs: 2_500 });
    await script.started;
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => script.run([ids], 2)));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(answers[3]).toMatchObject({
      reason: { word: 'deadline_exceeded', message: expect.stringContaining('was busy') },
    });
  });

  test('a script whose process dies fails that request alone', async () => {
    const { script } = setup(
      `import os\n${dict('os._exit(9) if input_data["id"][0] == 0 else None; return input_data')}`,
    );
    const [dead, next] = await Promise.allSettled([script.run([zero], 2), script.run([ids], 2)]);
    expect(dead).toMatchObject({
      reason: { word: 'unavailable', message: expect.stringContaining('ended with status 9') },
    });
    expect(next).toMatchObject({ status: 'fulfilled' });
  });

  test('a script that takes too much memory is ended', async () => {
    const { script } = setup(dict('\n    hoard = []\n    while True: hoard.append(bytearray(1 << 24))'), {
      limits: { memoryBytes: 300 * 2 ** 20 },
    });
    await expect(script.run([ids], 2)).rejects.toThrow('used more than its 300 MiB of memory');
  });

  test('a script that makes processes is ended with all of them', async () => {
    const { script } = setup(
      `import os, time\n${dict('\n    for _ in range(40): os.fork() or time.sleep(60)\n    time.sleep(60)')}`,
      {
        limits: { processes: 8 },
      },
    );
    await expect(script.run([ids], 2)).rejects.toThrow('had more than 8 processes');
  });

  test('without a jail, too, nothing stays when the step is stopped', async () => {
    const { script } = setup(`import subprocess\nsubprocess.Popen(["sleep", "60"])\n${hangs}`, {
      sandbox: unsandboxed,
    });
    await script.started;
    const pid = script.pid!;
    const stuck = script.run([zero], 2);
    script.stop();
    await expect(stuck).rejects.toThrow('was stopped');
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  });
});

test('a script in a jail reaches nothing of the machine', async ({ skip }) => {
  if (sandbox.level !== 'jail') skip(sandbox.warning ?? '');
  const server = createServer().listen(0, '127.0.0.1');
  cleanups.push(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const code = `
import glob, os, socket
def attempt(action):
    try: return str(action())
    except OSError as error: return type(error).__name__
def process_data(input_data):
    found = [
        attempt(lambda: socket.create_connection(("127.0.0.1", ${port}), 1)),
        attempt(lambda: socket.create_connection(("1.1.1.1", 53), 1)),
        attempt(lambda: open("/opt/step/step.py", "a")),
        attempt(lambda: open("/opt/environment/planted", "w")),
        attempt(lambda: os.listdir(${JSON.stringify(process.cwd())})),
        attempt(lambda: len(glob.glob("/proc/[0-9]*")) < 5),
        ",".join(sorted(name for name in os.environ if "KEY" in name or "URL" in name or "PROXY" in name.upper())),
    ]
    return {"found": [found]}`;
  const { script } = setup(code);
  const [found] = await script.run([{ ...ids, values: BigInt64Array.of(1n) }], 1);
  expect(found!.values).toEqual([
    'ConnectionRefusedError',
    'OSError',
    'OSError',
    'OSError',
    'FileNotFoundError',
    'True',
    '',
  ]);
});
