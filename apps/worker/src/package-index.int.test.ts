import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  EnvironmentBuilder,
  type Interpreter,
  probeSandbox,
  readPythonIndex,
  type SandboxStatus,
} from '@pademelon/workbench';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { findBuildTools } from '../../../packages/workbench/src/build-test-tools.ts';
import {
  buildWheel,
  startTestIndex,
  type TestIndex,
} from '../../../packages/workbench/src/package-index-test-server.ts';
import { readRequirements } from './workbench/requirements.ts';
import { openWorkerTestBench, type WorkerTestBench, whyNoJail } from './worker-test-bench.ts';

// The operator's package index, log-in and all, is for builds; the code of a run learns nothing of it.

const [logIn, extraLogIn] = ['wombat:quoll-7301', 'bilby:numbat-9442'];
const secrets = [logIn, extraLogIn].flatMap((pair) => pair.split(':'));
const process_: SandboxStatus = { level: 'process', warning: 'A test.', bubblewrap: null };
const jailMissing = await whyNoJail();

let bench: WorkerTestBench;
let uv: string;
let interpreter: Interpreter;
let index: TestIndex;
let extra: TestIndex;
beforeAll(async () => {
  bench = await openWorkerTestBench();
  ({ interpreter, uv } = await findBuildTools());
  index = await startTestIndex(logIn);
  index.add('greeting-1.0-py3-none-any.whl', buildWheel('greeting', { 'greeting.py': 'word = "hello"\n' }));
  extra = await startTestIndex(extraLogIn);
  extra.add('farewell-1.0-py3-none-any.whl', buildWheel('farewell', { 'farewell.py': 'word = "bye"\n' }));
}, 120_000);
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  index.close();
  extra.close();
  await bench.close();
});

const withLogIn = (url: string, pair: string): string => url.replace('//', `//${pair}@`);

/** The same two indexes, as an operator may name them. */
function settingsOf(way: string): Record<string, string> {
  const [first, second] = [withLogIn(index.url, logIn), withLogIn(extra.url, extraLogIn)];
  const none = { PIP_CONFIG_FILE: '/dev/null' };
  switch (way) {
    case 'UV_INDEX_URL':
      return { ...none, UV_INDEX_URL: first, UV_EXTRA_INDEX_URL: second };
    case 'UV_DEFAULT_INDEX': {
      const [user = '', password = ''] = extraLogIn.split(':');
      const named = { UV_INDEX: `more=${extra.url}`, UV_INDEX_MORE_USERNAME: user, UV_INDEX_MORE_PASSWORD: password };
      return { ...none, UV_DEFAULT_INDEX: first, ...named };
    }
    case 'PIP_INDEX_URL':
      return { ...none, PIP_INDEX_URL: first, PIP_EXTRA_INDEX_URL: second };
    default: {
      const file = join(bench.folder, 'pip.conf');
      writeFileSync(file, `[global]\nindex-url = ${first}\nextra-index-url =\n    ${second}\n`);
      return { PIP_CONFIG_FILE: file };
    }
  }
}

/** As the worker does it (`environmentSource`), with settings in its own environment. */
function builderFor(sandbox: SandboxStatus): EnvironmentBuilder {
  return new EnvironmentBuilder({
    folder: mkdtempSync(join(bench.folder, 'index-')),
    ...{ uv, interpreter, sandbox, baseSet: [], timeoutMs: 60_000 },
    index: readPythonIndex(process.env),
    onProblem: (error) => {
      throw error;
    },
  });
}

/** Tells what it can use, and in which variables, files and processes a word is. The words stand here backwards. */
function search(folders: string): string {
  return `
import os, sys
import greeting, farewell
print(greeting.word, farewell.word)
words = [word[::-1].encode() for word in ${JSON.stringify(secrets.map((word) => [...word].reverse().join('')))}]
print("variables:", sorted(name for name in os.environ if name.startswith(("UV_", "PIP_"))))
found, seen = [], 0
def look(place, content):
    global seen
    seen += 1
    if any(word in content for word in words): found.append(place)
look("environ", repr(dict(os.environ)).encode())
for folder in ${folders}:
    for place, folders, files in os.walk(folder):
        if place == "/": folders[:] = [name for name in folders if name not in ("sys", "usr", "dev")]
        for name in files:
            path = os.path.join(place, name)
            if place.startswith("/proc") and name not in ("environ", "cmdline"): continue
            try:
                with open(path, "rb") as file: look(path, file.read())
            except OSError: pass
print("found:", found, "in many" if seen > 10 else "in %d" % seen)
`;
}

async function run(way: string, sandbox: SandboxStatus, folders: string) {
  for (const [name, value] of Object.entries(settingsOf(way))) vi.stubEnv(name, value);
  const builder = builderFor(sandbox);
  const executor = bench.executor({ environments: async () => builder, sandbox });
  const order = { code: search(folders), files: { 'requirements.txt': 'greeting\nfarewell\n' } };
  const claimed = await bench.claim(await bench.addRun(order));
  await executor.execute(claimed);
  await builder.stop();
  return bench.read(claimed.runId);
}

const ways = ['UV_INDEX_URL', 'UV_DEFAULT_INDEX', 'PIP_INDEX_URL', 'pip.conf'];

function expectNothingFound({ state, lines }: Awaited<ReturnType<typeof run>>): void {
  const log = lines.join('\n');
  expect(state, log).toBe('success');
  expect(lines.slice(-3)).toEqual(['hello bye', 'variables: []', 'found: [] in many']);
  // The log of the build is the beginning of it.
  expect(log).toContain('greeting==1.0');
  for (const word of secrets) expect(log).not.toContain(word);
}

describe.skipIf(jailMissing !== null)('a run in a jail', () => {
  test.each(ways)('has what the index of %s gave, and no trace of the index', async (way) => {
    expectNothingFound(await run(way, await probeSandbox(), '["/"]'));
  });
});

test.each(ways)('a run without a jail has no trace of the index of %s in what is its own', async (way) => {
  expectNothingFound(await run(way, process_, '[os.environ["HOME"], os.environ["VIRTUAL_ENV"]]'));
});

test('what the log says of a build that fails has no log-in in it', async () => {
  const sandbox = await probeSandbox();
  for (const [name, value] of Object.entries(settingsOf('PIP_INDEX_URL'))) vi.stubEnv(name, value);
  vi.stubEnv('PIP_EXTRA_INDEX_URL', withLogIn(extra.url, logIn));
  const builder = builderFor(sandbox);
  const lines: string[] = [];
  const { requirements } = readRequirements('nowhere');
  await expect(builder.ensure(requirements, (line) => lines.push(line))).rejects.toThrow('cannot be installed');
  const log = lines.join('\n');
  expect(log).toContain('nowhere');
  expect(log).not.toContain('quoll-7301');
});
