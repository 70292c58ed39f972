import { ownerInactive, type RunOutcome } from '@pademelon/domain';
import type { FromSupervisor, SupervisorLimits } from './workbench/supervisor-protocol.ts';

type Ended = Extract<FromSupervisor, { type: 'ended' }>;

/** Tells in words how the code of an attempt ended. */
export function outcomeOf(ended: Ended, timeoutMs: number, limits: SupervisorLimits): RunOutcome {
  const { exitCode, signal } = ended;
  switch (ended.cause) {
    case 'killed':
      return { reason: 'killed_by_user', text: 'The run was killed by a user.', exitCode };
    case 'owner_inactive':
      return { ...ownerInactive, exitCode };
    case 'shutdown':
      return { reason: 'worker_lost', text: 'The worker was shut down while the run was going on.', exitCode };
    case 'lease_lost':
      return { reason: 'worker_lost', text: 'The worker lost its right to the run.', exitCode };
    case 'timeout':
      return {
        reason: 'timeout',
        text: `The run took longer than its ${timeoutMs / 1_000} s and was ended.`,
        exitCode,
      };
    case 'out_of_memory':
      return {
        reason: 'out_of_memory',
        text: `The run used more than ${Math.round(limits.memoryBytes / 1024 ** 2)} MiB of memory and was ended.`,
        exitCode,
      };
    case 'too_many_processes':
      return { reason: 'signal', text: `The run had more than ${limits.processes} processes and was ended.`, exitCode };
    case 'disk_full':
      return { reason: 'disk_full', text: `The run made more than ${limits.files} files and was ended.`, exitCode };
    case null:
      break;
  }
  if (signal !== null) return { reason: 'signal', text: `The run was ended by ${signal}.`, exitCode };
  if (exitCode === 0) return { reason: 'completed', text: 'main.py ended by itself.', exitCode };
  return { reason: 'exit_code', text: `main.py ended with status ${exitCode}.`, exitCode };
}
