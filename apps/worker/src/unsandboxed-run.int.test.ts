import { waitUntil } from '@pademelon/testing';
import type { SandboxStatus } from '@pademelon/workbench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkerTestBench, processesWith, testRunSettings, type WorkerTestBench } from './worker-test-bench.ts';

const sandbox: SandboxStatus = { level: 'process', warning: 'Runs are not sandboxed: a test.', bubblewrap: null };

let bench: WorkerTestBench;
beforeAll(async () => {
  bench = await openWorkerTestBench();
});
afterAll(() => bench.close());

test('a run without a jail says so first, and has the arguments where the SDK looks for them', async () => {
  const code = `import json, os
print(json.load(open("/home/jovyan/arguments.json")), os.path.exists(os.path.expanduser("~/.cache/wallaroo_sdk/auth/keycloak.json")))`;
  const run = await bench.run({ code, input: { a: 1 } }, { sandbox });
  expect(run).toMatchObject({ state: 'success', sandbox: 'process' });
  expect(run.lines).toEqual([`[pademelon] ${sandbox.warning}`, "{'a': 1} True"]);
});

test('it gets no environment of the worker', async () => {
  process.env['PADEMELON_SECRET_OF_THE_TEST'] = 'never-in-a-run';
  const run = await bench.run({ code: 'import os\nprint(sorted(os.environ.values()))' }, { sandbox });
  delete process.env['PADEMELON_SECRET_OF_THE_TEST'];
  expect(run.state).toBe('success');
  expect(run.lines.join('\n')).not.toContain('never-in-a-run');
});

test('it can write to its output by path', async () => {
  const code = 'with open("/dev/stdout", "w") as stdout: stdout.write("by path\\n")';
  expect((await bench.run({ code }, { sandbox })).lines.slice(1)).toEqual(['by path']);
});

test('its process group ends with its timeout, also when it ignores SIGTERM', async () => {
  const mark = 'unsandboxed-71';
  const code = `import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 300; : ${mark}"])
time.sleep(300)`;
  const run = await bench.run({ code, timeoutSeconds: 1 }, { sandbox });
  expect(run).toMatchObject({ state: 'timed_out' });
  // Killed, and gone when the kernel comes to it: no pid namespace waits for the last of them.
  await waitUntil('the process group is gone', () => processesWith(mark).length === 0);
});

test('its process group ends when its user is deactivated, first by SIGTERM, then by SIGKILL', async () => {
  const mark = 'unsandboxed-72';
  const code = `import signal, subprocess, time
signal.signal(signal.SIGTERM, lambda *_: print("asked to end", flush=True))
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 300; : ${mark}"])
while True: time.sleep(1)`;
  const id = await bench.addRun({ code });
  const execution = bench.executor({ sandbox }).execute(await bench.claim(id, 3_000));
  await waitUntil('it runs', () => processesWith(mark).length > 0);
  await bench.pool.query('UPDATE users SET is_enabled = false');
  await execution;
  await bench.pool.query('UPDATE users SET is_enabled = true');
  const run = await bench.read(id);
  expect(run).toMatchObject({ state: 'failure', reason: 'owner_inactive' });
  expect(run.lines.at(-1)).toBe('asked to end');
  await waitUntil('the process group is gone', () => processesWith(mark).length === 0);
});

test('its memory and its processes are limited too', async () => {
  const limits = { ...testRunSettings.limits, memoryBytes: 100 * 1024 ** 2 };
  const run = await bench.run(
    { code: 'x = b"x" * 400_000_000\nimport time; time.sleep(60)' },
    { sandbox, settings: { limits } },
  );
  expect(run).toMatchObject({ state: 'failure', reason: 'out_of_memory' });
});
