import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@pademelon/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { monotonicMs } from './workbench/monotonic-clock.ts';
import type { FromSupervisor, ToSupervisor } from './workbench/supervisor-protocol.ts';
import { isChildOf, openWorkerTestBench, processesWith, type WorkerTestBench, whyNoJail } from './worker-test-bench.ts';

const noJail = await whyNoJail();
if (noJail !== null) console.log(`Runs in a jail are not tested: ${noJail}`);

let bench: WorkerTestBench;
const workers: ChildProcess[] = [];
beforeAll(async () => {
  bench = await openWorkerTestBench();
});
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
});
afterAll(() => bench.close());

const leaseMs = 2_000;

/** A worker in a process of its own that carries out a run of code that ignores SIGTERM and has left its session. */
async function startWorker(): Promise<{ worker: ChildProcess; runId: string; mark: string }> {
  const mark = `supervised-${randomUUID().slice(0, 8)}`;
  const code = `import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done; : ${mark}"], start_new_session=True)
while True:
    print("alive", flush=True)
    time.sleep(0.1)`;
  const runId = await bench.addRun({ code, timeoutSeconds: 600 });
  const file = fileURLToPath(new URL('./fixture-worker.ts', import.meta.url));
  const worker = fork(file, [bench.databaseUrl, bench.folder, runId, String(leaseMs)], {
    execArgv: ['--conditions=source'],
    detached: true,
  });
  workers.push(worker);
  await waitUntil('the code runs', async () => processesWith(mark).length > 0 && (await linesOf(runId)) > 3, 30_000);
  return { worker, runId, mark };
}

async function linesOf(runId: string): Promise<number> {
  return (await bench.read(runId)).lines.length;
}

test.skipIf(noJail !== null)(
  'a worker that is frozen beyond its lease loses the run: the code dies although nobody tells it to',
  async () => {
    const { worker, runId, mark } = await startWorker();
    worker.kill('SIGSTOP');
    const frozenAt = performance.now();
    await waitUntil('the code is gone', () => processesWith(mark).length === 0);
    expect(performance.now() - frozenAt).toBeLessThan(leaseMs + 3_000);
    await waitUntil('the run is rescued', async () => (await bench.store.rescue(10)).includes(runId));
    const lines = await linesOf(runId);
    worker.kill('SIGCONT');
    await once(worker, 'exit');
    expect(await bench.read(runId)).toMatchObject({ state: 'failure', reason: 'worker_lost' });
    expect(await linesOf(runId)).toBe(lines);
  },
);

test.skipIf(noJail !== null)('a worker that is killed takes everything that its runs started with it', async () => {
  const { worker, runId, mark } = await startWorker();
  const before = processesWith(bench.folder).length;
  expect(before).toBeGreaterThan(0);
  worker.kill('SIGKILL');
  await waitUntil('the code is gone', () => processesWith(mark).length === 0, 10_000);
  await waitUntil('the supervisor and the jail are gone', () => processesWith(bench.folder).length === 0, 10_000);
  await waitUntil('the run is rescued', async () => (await bench.store.rescue(10)).includes(runId));
  expect(await bench.read(runId)).toMatchObject({ state: 'failure', reason: 'worker_lost' });
});

test.skipIf(noJail !== null)(
  'the supervisor of a run that is killed leaves nothing either, and the run ends',
  async () => {
    const { worker, runId, mark } = await startWorker();
    const [supervisor] = processesWith('run-supervisor').filter((pid) => isChildOf(pid, worker.pid as number));
    process.kill(supervisor as number, 'SIGKILL');
    await waitUntil('the code is gone', () => processesWith(mark).length === 0, 10_000);
    await once(worker, 'exit');
    expect(await bench.read(runId)).toMatchObject({ state: 'failure', reason: 'system_error' });
  },
);

test.skipIf(noJail !== null)('an order to start that comes when the lease is over starts nothing', async () => {
  const mark = join(bench.folder, `late-${randomUUID()}`);
  const file = fileURLToPath(new URL('./workbench/run-supervisor.ts', import.meta.url));
  const supervisor = fork(file, { execArgv: ['--conditions=source'], serialization: 'advanced' });
  workers.push(supervisor);
  const ended = once(supervisor, 'message');
  const plan = {
    ...{ command: '/usr/bin/env', args: ['touch', mark], environment: {}, workingFolder: bench.folder },
    ...{ seccompFile: null, isJail: false, timeoutMs: 60_000, graceMs: 1_000, leaseUntilMs: monotonicMs() - 1 },
    limits: { memoryBytes: 2 ** 30, processes: 100, files: 100, logBytes: 1_000 },
  };
  supervisor.send({ type: 'start', plan } satisfies ToSupervisor);
  const [message] = (await ended) as [FromSupervisor];
  expect(message).toMatchObject({ type: 'ended', exitCode: null, signal: null, cause: 'lease_lost' });
  expect(existsSync(mark)).toBe(false);
});
