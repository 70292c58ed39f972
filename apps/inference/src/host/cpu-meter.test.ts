import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CpuMeter } from './cpu-meter.ts';

test('a process that only computes uses about a core, one that waits uses none, one that has ended is unknown', async () => {
  // Neither outlives a test that is killed by much.
  const busy = spawn(process.execPath, ['-e', 'for (const end = Date.now() + 6e4; Date.now() < end; );']);
  const idle = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 6e4)']);
  onTestFinished(() => {
    busy.kill('SIGKILL');
    idle.kill('SIGKILL');
  });
  await Promise.all([once(busy, 'spawn'), once(idle, 'spawn')]);
  // The start of a process costs CPU time of its own.
  await pause(1_000);
  const meters = [new CpuMeter(), new CpuMeter()] as const;
  expect(await Promise.all([meters[0].read(busy.pid!), meters[1].read(idle.pid!)])).toEqual([null, null]);
  // Never more than a core; on a busy machine it gets less for a while.
  await vi.waitFor(
    async () => {
      const used = await meters[0].read(busy.pid!);
      expect(used).toBeGreaterThan(0.2);
      expect(used).toBeLessThan(1.2);
    },
    { timeout: 40_000, interval: 2_000 },
  );
  expect(await meters[1].read(idle.pid!)).toBeLessThan(0.2);
  const ended = [once(busy, 'exit'), once(idle, 'exit')];
  busy.kill('SIGKILL');
  idle.kill('SIGKILL');
  await Promise.all(ended);
  expect(await new CpuMeter().read(busy.pid!)).toBeNull();
}, 50_000);
