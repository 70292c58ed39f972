import type { RunSurroundings } from '@pademelon/domain';
import { waitUntil } from '@pademelon/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  openWorkerTestBench,
  processesWith,
  testRunSettings,
  type WorkerTestBench,
  whyNoJail,
} from './worker-test-bench.ts';

const noJail = await whyNoJail();
if (noJail !== null) console.log(`Runs in a jail are not tested: ${noJail}`);

let bench: WorkerTestBench;
beforeAll(async () => {
  bench = await openWorkerTestBench();
});
afterAll(() => bench.close());
afterEach(() => {
  bench.connections.length = 0;
});

describe.skipIf(noJail !== null)('the end of a run', () => {
  test('is success when main.py ends by itself', async () => {
    const run = await bench.run({ code: 'print("hello")' });
    expect(run).toMatchObject({
      state: 'success',
      reason: 'completed',
      exitCode: 0,
      sandbox: 'jail',
      lines: ['hello'],
    });
  });

  test('is failure with the status and the traceback in the log when it raises', async () => {
    const run = await bench.run({ code: 'print("before")\nraise ValueError("boom")' });
    expect(run).toMatchObject({ state: 'failure', reason: 'exit_code', exitCode: 1 });
    expect(run.lines[0]).toBe('before');
    expect(run.lines.at(-1)).toBe('ValueError: boom');
    expect(run.text).toContain('status 1');
  });

  test('is failure when the code kills itself', async () => {
    const run = await bench.run({ code: 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)' });
    expect(run).toMatchObject({ state: 'failure', exitCode: 137 });
  });

  test('is failure with the reason when the code is not there', async () => {
    const id = await bench.addRun({ code: 'print(1)' });
    await bench.pool.query('UPDATE orchestrations SET sha = $1', ['gone']);
    await bench.executor().execute(await bench.claim(id));
    expect(await bench.read(id)).toMatchObject({ state: 'failure', reason: 'system_error' });
  });

  test('is success when the database was away for most of a lease before it began', async () => {
    const claimed = await bench.claim(await bench.addRun({ code: 'print("late")' }));
    const { surroundings } = bench;
    const backAt = performance.now() + 12_000;
    const executor = bench.executor({
      surroundings: {
        ...surroundings,
        findCode: async (id) => {
          if (performance.now() < backAt) throw new Error('The database is away.');
          return surroundings.findCode(id);
        },
      },
    });
    await executor.execute(claimed);
    expect(await bench.read(claimed.runId)).toMatchObject({ state: 'success', lines: ['late'] });
  });

  test('is timed_out, also for code that ignores SIGTERM, with nothing left of it', async () => {
    const mark = 'ignores-sigterm-91';
    const code = `import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 300; : ${mark}"], start_new_session=True)
print("deaf", flush=True)
time.sleep(300)`;
    const startedAt = performance.now();
    const run = await bench.run({ code, timeoutSeconds: 2 });
    expect(run).toMatchObject({ state: 'timed_out', reason: 'timeout', lines: ['deaf'] });
    expect(run.text).toContain('2 s');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(processesWith(mark)).toEqual([]);
  });

  test('lets code that listens to SIGTERM clean up', async () => {
    const code = `import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("cleaned up", flush=True), sys.exit(0)))
print("ready", flush=True)
time.sleep(300)`;
    const run = await bench.run({ code, timeoutSeconds: 2 });
    expect(run).toMatchObject({ state: 'timed_out', lines: ['ready', 'cleaned up'] });
  });
});

describe.skipIf(noJail !== null)('a kill', () => {
  test('ends a running run as killed within seconds, with its daemons', async () => {
    const mark = 'daemon-of-a-killed-run-17';
    const code = `import os, subprocess, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        subprocess.run(["sh", "-c", "sleep 300; : ${mark}"])
print("started", flush=True)
time.sleep(300)`;
    const id = await bench.addRun({ code });
    const executor = bench.executor();
    const execution = executor.execute(await bench.claim(id));
    await waitUntil('the daemon runs', () => processesWith(mark).length > 0);
    const askedAt = performance.now();
    await bench.pool.query('UPDATE runs SET cancel_requested_at = now() WHERE id = $1', [id]);
    await executor.checkCancels();
    await execution;
    expect(performance.now() - askedAt).toBeLessThan(10_000);
    expect(await bench.read(id)).toMatchObject({ state: 'killed', reason: 'killed_by_user' });
    expect(processesWith(mark)).toEqual([]);
  });

  test('that comes before the code starts means that it never starts', async () => {
    const id = await bench.addRun({ code: 'print("ran")' });
    const claimed = await bench.claim(id);
    await bench.pool.query('UPDATE runs SET cancel_requested_at = now() WHERE id = $1', [id]);
    await bench.executor().execute(claimed);
    expect(await bench.read(id)).toMatchObject({ state: 'killed', lines: [] });
  });
});

describe.skipIf(noJail !== null)('the deactivation of its user', () => {
  afterEach(() => bench.pool.query('UPDATE users SET is_enabled = true'));
  const deactivate = () => bench.pool.query('UPDATE users SET is_enabled = false');

  test('ends a running run by SIGTERM as owner_inactive, at a heartbeat that nobody asked for', async () => {
    const code = `import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("cleaned up", flush=True), sys.exit(0)))
print("on", flush=True)
time.sleep(300)`;
    const id = await bench.addRun({ code });
    const execution = bench.executor().execute(await bench.claim(id, 3_000));
    await waitUntil('it says something', async () => (await bench.read(id)).lines.length > 0);
    await deactivate();
    await execution;
    expect(await bench.read(id)).toMatchObject({
      ...{ state: 'failure', reason: 'owner_inactive', lines: ['on', 'cleaned up'] },
      text: expect.stringContaining('deactivated'),
    });
  });

  test('ends code that does not listen to SIGTERM too, with its daemons', async () => {
    const mark = 'daemon-of-a-deactivated-user-23';
    const code = `import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 300; : ${mark}"], start_new_session=True)
time.sleep(300)`;
    const id = await bench.addRun({ code });
    const execution = bench.executor().execute(await bench.claim(id, 3_000));
    await waitUntil('the daemon runs', () => processesWith(mark).length > 0);
    await deactivate();
    await execution;
    expect(await bench.read(id)).toMatchObject({ state: 'failure', reason: 'owner_inactive' });
    expect(processesWith(mark)).toEqual([]);
  });

  test('ends a run whose environment is still being built', async () => {
    const id = await bench.addRun({ code: 'print("ran")' });
    const building = Promise.withResolvers<void>();
    const executor = bench.executor({
      environments: async () => {
        building.resolve();
        return new Promise(() => undefined);
      },
    });
    const execution = executor.execute(await bench.claim(id, 3_000));
    await building.promise;
    await deactivate();
    await execution;
    expect(await bench.read(id)).toMatchObject({ state: 'failure', reason: 'owner_inactive', lines: [] });
  });

  test('between the claim and the token ends the run at once', async () => {
    const claimed = await bench.claim(await bench.addRun({ code: 'print("ran")' }));
    const surroundings = { ...bench.surroundings, issueToken: async () => null };
    const startedAt = performance.now();
    await bench.executor({ surroundings }).execute(claimed);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await bench.read(claimed.runId)).toMatchObject({ state: 'failure', reason: 'owner_inactive', lines: [] });
  });

  test('after the token means that the code never starts', async () => {
    const claimed = await bench.claim(await bench.addRun({ code: 'print("ran")' }));
    const { surroundings } = bench;
    const issueToken: typeof surroundings.issueToken = async (input) => {
      await deactivate();
      return surroundings.issueToken(input);
    };
    await bench.executor({ surroundings: { ...surroundings, issueToken } }).execute(claimed);
    expect(await bench.read(claimed.runId)).toMatchObject({ state: 'failure', reason: 'owner_inactive', lines: [] });
  });
});

describe.skipIf(noJail !== null)('a run that is stopped with its worker', () => {
  test('ends as worker_lost when its code has started', async () => {
    const id = await bench.addRun({ code: 'import time\nprint("on", flush=True)\ntime.sleep(300)' });
    const executor = bench.executor();
    const execution = executor.execute(await bench.claim(id));
    await waitUntil('it says something', async () => (await bench.read(id)).lines.length > 0);
    executor.stopAll();
    await execution;
    expect(await bench.read(id)).toMatchObject({ state: 'failure', reason: 'worker_lost' });
  });

  test('goes back to pending at no cost when its code has not', async () => {
    const id = await bench.addRun({ code: 'print("ran")' });
    const executor = bench.executor();
    const execution = executor.execute(await bench.claim(id));
    executor.stopAll();
    await execution;
    const { rows } = await bench.pool.query('SELECT state, attempt, worker_id FROM runs WHERE id = $1', [id]);
    expect(rows).toEqual([{ state: 'pending', attempt: 0, worker_id: null }]);
  });
});

describe.skipIf(noJail !== null)('a lost lease', () => {
  test('ends the code, and nothing more is written', async () => {
    const mark = 'fenced-run-55';
    const code = `import subprocess, time
print("on", flush=True)
subprocess.run(["sh", "-c", "sleep 300; : ${mark}"])`;
    const id = await bench.addRun({ code });
    const execution = bench.executor().execute(await bench.claim(id, 1_500));
    await waitUntil('it runs', () => processesWith(mark).length > 0);
    await bench.pool.query(`UPDATE runs SET lease_token = gen_random_uuid(), worker_id = 'another' WHERE id = $1`, [
      id,
    ]);
    await execution;
    expect(processesWith(mark)).toEqual([]);
    const { rows } = await bench.pool.query('SELECT state, worker_id FROM runs WHERE id = $1', [id]);
    expect(rows).toEqual([{ state: 'running', worker_id: 'another' }]);
  });
});

describe.skipIf(noJail !== null)('the surroundings of the code', () => {
  test('are what the SDK expects: arguments, token cache, variables, working folder', async () => {
    const code = `import json, os
print(json.dumps({
  "arguments": json.load(open("/home/jovyan/arguments.json")),
  "token": json.load(open("/home/jovyan/.cache/wallaroo_sdk/auth/keycloak.json"))["access_token"],
  "folder": os.getcwd(), "data": open("data/x.txt").read(), "home": os.path.expanduser("~"),
  "task": bool(os.environ["WALLAROO_TASK_ID"]), "url": os.environ["WALLAROO_URL"], "extra": os.environ["EXTRA"],
}))`;
    const files = { 'etl/main.py': code, 'etl/data/x.txt': 'beside' };
    const settings = { environment: { EXTRA: 'from the operator' } };
    const run = await bench.run({ code: '', files, input: { a: [1, 'ü'] } }, { settings });
    expect(run.lines).toEqual([]);
    const deep = await bench.run({ code, files: { 'data/x.txt': 'beside' }, input: { a: [1, 'ü'] } }, { settings });
    expect(JSON.parse(deep.lines[0] as string)).toEqual({
      arguments: { a: [1, 'ü'] },
      token: 'token-of-the-run',
      folder: '/home/jovyan/orchestration',
      data: 'beside',
      home: '/home/jovyan',
      task: true,
      url: testRunSettings.platformUrl,
      extra: 'from the operator',
    });
  });

  test('are new for every run: what one writes, the next does not see', async () => {
    const code = `import os
print(os.path.exists("/home/jovyan/left"), os.path.exists("/tmp/left"), os.path.exists("left"))
for path in ("/home/jovyan/left", "/tmp/left", "left"): open(path, "w").close()`;
    expect((await bench.run({ code })).lines).toEqual(['False False False']);
    expect((await bench.run({ code })).lines).toEqual(['False False False']);
  });
});

describe.skipIf(noJail !== null)('the log', () => {
  test('can be read while the code is running', async () => {
    const id = await bench.addRun({ code: 'import time\nprint("early", flush=True)\ntime.sleep(300)' });
    const executor = bench.executor();
    const execution = executor.execute(await bench.claim(id));
    await waitUntil('the line is there', async () => (await bench.read(id)).lines.includes('early'));
    expect((await bench.read(id)).state).toBe('running');
    executor.stopAll();
    await execution;
  });

  test('has each line with its time and stream', async () => {
    const { id } = await bench.run({ code: 'import sys\nprint("to err", file=sys.stderr)' });
    const { rows } = await bench.pool.query('SELECT text FROM run_log_chunks WHERE run_id = $1', [id]);
    expect(rows[0].text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z stderr F to err\n$/);
  });

  test('has what the code wrote to its output by path, as it may in a container', async () => {
    const code = `import subprocess
with open("/dev/stdout", "w") as stdout: stdout.write("by path\\n")
subprocess.run(["sh", "-c", "echo tee | tee /dev/stderr >/dev/null"], check=True)`;
    const run = await bench.run({ code });
    expect(run.state).toBe('success');
    expect(run.lines.toSorted()).toEqual(['by path', 'tee']);
  });

  test('is cut at its limit, says so, and the code goes on', async () => {
    const limits = { ...testRunSettings.limits, logBytes: 1024 ** 2 };
    // Lines, and one line without an end, which must not come behind the remark.
    for (const end of ['', ', end=""']) {
      const code = `for i in range(400_000): print("x" * 99${end})\nprint("the end")`;
      const run = await bench.run({ code }, { settings: { limits } });
      expect(run).toMatchObject({ state: 'success' });
      expect(run.lines.join('\n').length).toBeLessThan(1.3 * 1024 ** 2);
      expect(run.lines.at(-1)).toContain('the log is longer than allowed');
    }
  });

  test('takes bytes, colours and markup as text', async () => {
    const code = `import sys
sys.stdout.buffer.write(b"\\xff\\x00\\x1b[31mred\\x1b[0m</script>\\n")`;
    const run = await bench.run({ code });
    expect(run.lines).toEqual(['\ufffd\ufffd\x1b[31mred\x1b[0m</script>']);
  });

  test('hides secrets of the linked connections, however they are written', async () => {
    const secret = 'pa55word-of-the-warehouse';
    bench.connections.push({ name: 'w', type: 'postgres', details: { password: secret } });
    const code = `import base64, sys, time, urllib.parse, urllib.request
s = "pa55word-of-the-" + "warehouse"
print("plain", s)
print("base64", base64.b64encode(("user:" + s).encode()).decode())
print("url", urllib.parse.quote(s + "/x"))
print("hex", s.encode().hex())
sys.stdout.write("split " + s[:9]); sys.stdout.flush(); time.sleep(0.5)
sys.stdout.write(s[9:] + "\\n"); sys.stdout.flush()
try: urllib.request.urlopen("http://" + s + ".invalid:81/")
except OSError: pass
sys.stderr.write(s)`;
    const { lines } = await bench.run({ code });
    const log = lines.join('\n');
    expect(lines.slice(0, 1)).toEqual(['plain *****']);
    expect(log).toContain('split *****');
    expect(log).toContain('[pademelon] a connection to *****.invalid:81 was refused');
    expect(log).not.toContain(secret);
    expect(log).not.toContain(secret.slice(9));
    expect(log).not.toContain(Buffer.from(secret).toString('hex'));
    expect(log).not.toContain(Buffer.from(secret).toString('base64').slice(2, -4));
  });

  test('hides what its code was given of other connections while it went on', async () => {
    const secret = 'pa55word-of-another-workspace';
    const code = `import sys, time
s = "pa55word-of-" + "another-workspace"
print("plain", s, flush=True)
sys.stdout.write("split " + s[:9]); sys.stdout.flush(); time.sleep(0.5)
print(s[9:])`;
    const claimed = await bench.claim(await bench.addRun({ code }));
    const asked = new Set<string>();
    const surroundings: RunSurroundings = {
      ...bench.surroundings,
      listHandedOut: async (runId, known) => {
        asked.add(runId);
        return known.includes('c') ? [] : [{ connectionId: 'c', details: { password: secret } }];
      },
    };
    await bench.executor({ surroundings }).execute(claimed);
    expect((await bench.read(claimed.runId)).lines).toEqual(['plain *****', 'split *****']);
    expect([...asked]).toEqual([claimed.runId]);
  });
});
