import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import {
  countFiles,
  jailRoot,
  measureTree,
  openOutputPipes,
  openTaskCeiling,
  type TaskCeiling,
  taskCeilingFor,
} from '@pademelon/workbench/processes';
import { monotonicMs } from './monotonic-clock.ts';
import type { FromSupervisor, StopCause, SupervisorPlan, ToSupervisor } from './supervisor-protocol.ts';

/**
 * The process that stands between a worker and the code of one run. It owns the child's process group and outlives any
 * stall of the worker: when the lease is not renewed in time it kills the run although the worker is frozen, and when
 * the worker dies (the IPC channel closes) it kills the run and ends. It knows nothing of the database.
 *
 * Two ways to end a run: politely (the jail's first program sends SIGTERM when its standard input closes; without a
 * jail the group gets SIGTERM), and after the grace period SIGKILL to the group, which with a jail takes every process
 * in it, whatever sessions it opened.
 */

const watchEveryMs = 100;
const maxPendingMessages = 64;

let child: ChildProcess | null = null;
let plan: SupervisorPlan;
let ceiling: TaskCeiling | null = null;
let cause: StopCause | null = null;
let leaseTimer: NodeJS.Timeout;
let pendingMessages = 0;
let logBytes = 0;
let isLogCut = false;

process.on('message', (message: ToSupervisor) => {
  if (message.type === 'start') start(message.plan);
  else if (message.type === 'lease') trustLease(message.leaseUntilMs);
  else stop(message.cause);
});

process.on('disconnect', () => {
  killAll();
  // Not by process.exit, which can hang: see runProcess.
  process.kill(process.pid, 'SIGKILL');
});

// A stack is stopped from its top: the worker decides what happens to its runs.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

function start(given: SupervisorPlan): void {
  plan = given;
  // The worker was frozen on the way here, and somebody else may have the run by now.
  if (monotonicMs() >= plan.leaseUntilMs) {
    cause = 'lease_lost';
    finish(null, null);
    return;
  }
  trustLease(plan.leaseUntilMs);
  const seccomp = plan.seccompFile === null ? null : openSync(plan.seccompFile, 'r');
  ceiling = openTaskCeiling(taskCeilingFor(plan.limits.processes));
  const { command, args } = ceiling?.wrap(plan.command, plan.args) ?? plan;
  const { stdout, stderr, writeEnds } = openOutputPipes();
  const inherited = [...writeEnds, ...(seccomp === null ? [] : [seccomp])];
  child = spawn(command, [...args], {
    cwd: plan.workingFolder,
    env: { ...plan.environment },
    detached: true,
    stdio: ['pipe', ...inherited],
  });
  for (const descriptor of inherited) closeSync(descriptor);
  child.stdin?.on('error', () => undefined);
  if (!plan.isJail) child.stdin?.end();
  forward('stdout', stdout);
  forward('stderr', stderr);
  const isWritten = Promise.all([once(stdout, 'close'), once(stderr, 'close')]);
  const timeout = setTimeout(() => stop('timeout'), plan.timeoutMs);
  const watch = setInterval(enforceLimits, watchEveryMs);
  child.once('error', (error) => finish(127, null, `The run cannot be started: ${error.message}\n`));
  child.once('exit', (code, signal) => {
    clearTimeout(timeout);
    clearInterval(watch);
    // Whatever the code left behind goes with it; its output ends then.
    killAll();
    void isWritten.then(() => finish(code, signal));
  });
}

function forward(stream: 'stdout' | 'stderr', source: Readable): void {
  source.on('data', (bytes: Buffer) => {
    if (logBytes >= plan.limits.logBytes) {
      isLogCut = true;
      return;
    }
    logBytes += bytes.length;
    pendingMessages += 1;
    if (pendingMessages >= maxPendingMessages) source.pause();
    send({ type: 'output', stream, timeMs: Date.now(), bytes }, () => {
      pendingMessages -= 1;
      if (source.isPaused() && pendingMessages < maxPendingMessages / 2) source.resume();
    });
  });
}

function trustLease(leaseUntilMs: number): void {
  clearTimeout(leaseTimer);
  leaseTimer = setTimeout(() => {
    cause ??= 'lease_lost';
    killAll();
  }, leaseUntilMs - monotonicMs());
}

function stop(why: StopCause): void {
  cause ??= why;
  if (child === null) return;
  if (plan.isJail) child.stdin?.end();
  else signalGroup('SIGTERM');
  setTimeout(killAll, plan.graceMs).unref();
}

function killAll(): void {
  signalGroup('SIGKILL');
}

function signalGroup(signal: NodeJS.Signals): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended.
  }
}

function enforceLimits(): void {
  if (child?.pid === undefined || cause !== null) return;
  const { processes, memoryBytes } = measureTree(child.pid, plan.limits.processes);
  const root = plan.isJail ? jailRoot(child.pid) : null;
  const files =
    root === null ? 0 : Math.max(...['/home/jovyan', '/tmp', '/dev/shm'].map((path) => countFiles(root, path)));
  if (processes > plan.limits.processes) cause = 'too_many_processes';
  else if (memoryBytes > plan.limits.memoryBytes) cause = 'out_of_memory';
  else if (files > plan.limits.files) cause = 'disk_full';
  if (cause !== null) killAll();
}

function finish(exitCode: number | null, signal: NodeJS.Signals | null, message?: string): void {
  clearTimeout(leaseTimer);
  ceiling?.remove();
  if (message !== undefined)
    send({ type: 'output', stream: 'stderr', timeMs: Date.now(), bytes: Buffer.from(message) });
  send({ type: 'ended', exitCode, signal, cause, isLogCut }, () => process.exit(0));
}

function send(message: FromSupervisor, done: () => void = () => undefined): void {
  if (process.send !== undefined && process.connected) process.send(message, undefined, undefined, done);
  else done();
}
