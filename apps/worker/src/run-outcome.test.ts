import type { RunReason } from '@pademelon/contracts';
import { expect, test } from 'vitest';
import { outcomeOf } from './run-outcome.ts';
import type { StopCause } from './workbench/supervisor-protocol.ts';

const reasons: Record<StopCause, RunReason> = {
  killed: 'killed_by_user',
  owner_inactive: 'owner_inactive',
  shutdown: 'worker_lost',
  lease_lost: 'worker_lost',
  timeout: 'timeout',
  out_of_memory: 'out_of_memory',
  too_many_processes: 'signal',
  disk_full: 'disk_full',
};
const limits = { memoryBytes: 2 ** 30, processes: 10, files: 10, logBytes: 10 };

test.each(Object.entries(reasons) as [StopCause, RunReason][])(
  'code that was ended as %s ended by %s',
  (cause, reason) => {
    const ended = { type: 'ended', exitCode: 143, signal: null, isLogCut: false } as const;
    const outcome = outcomeOf({ ...ended, cause }, 60_000, limits);
    expect(outcome).toMatchObject({ reason, exitCode: 143 });
    expect(outcome.text).toMatch(/^[A-Z].*\.$/);
  },
);

test.each([
  [0, null, 'completed'],
  [1, null, 'exit_code'],
  [null, 'SIGKILL', 'signal'],
] as const)('code that ended by itself with %s and %s ended by %s', (exitCode, signal, reason) => {
  const ended = { type: 'ended', exitCode, signal, cause: null, isLogCut: false } as const;
  expect(outcomeOf(ended, 60_000, limits)).toMatchObject({ reason });
});
