import type { RunReason, RunState } from '@pademelon/contracts';

/**
 * The states of a run and who moves it on. PostgreSQL holds the truth; each move is one conditional UPDATE whose WHERE
 * clause names the states it may start from, so that of two movers one finds no row.
 *
 *   pending ──claim──▶ claimed ──start──▶ running ──finish──▶ success | failure | killed | timed_out
 *      ▲                  │                  │
 *      └──── release ─────┤                  │     release: the worker shuts down before user code started
 *      └────────────── retry ────────────────┘     retry: attempts are left and the fault was not the user's
 *
 *   pending    nobody has it. Moved by a worker's claim, by a kill, or by the rescuer once its start deadline is over.
 *   claimed    a worker prepares it under a lease. Moved by that worker, or by the rescuer when the lease is over.
 *   running    user code has been started. Moved as claimed; it can no longer be released.
 *   the rest   final. Nobody moves them; retention deletes them.
 */
const moves: Record<RunState, readonly RunState[]> = {
  pending: ['claimed', 'failure', 'killed'],
  claimed: ['running', 'pending', 'failure', 'killed', 'timed_out'],
  running: ['pending', 'success', 'failure', 'killed', 'timed_out'],
  success: [],
  failure: [],
  killed: [],
  timed_out: [],
};

export function canMove(from: RunState, to: RunState): boolean {
  return moves[from].includes(to);
}

export function isFinal(state: RunState): boolean {
  return moves[state].length === 0;
}

/** The states from which a run may enter `to`: what the WHERE clause of that move lists. */
export function statesBefore(to: RunState): RunState[] {
  return (Object.keys(moves) as RunState[]).filter((from) => canMove(from, to));
}

/** Whose fault an end was. Only `system` and `timeout` may be retried, and only when the task asks for retries. */
export type RunFault = 'none' | 'user' | 'system' | 'timeout' | 'cancelled';

export function faultOf(reason: RunReason): RunFault {
  switch (reason) {
    case 'completed':
      return 'none';
    case 'exit_code':
    case 'signal':
    case 'out_of_memory':
    case 'disk_full':
    case 'environment_failed':
    case 'owner_inactive':
      return 'user';
    case 'killed_by_user':
      return 'cancelled';
    case 'timeout':
      return 'timeout';
    case 'worker_lost':
    case 'not_started':
    case 'sandbox_unavailable':
    case 'system_error':
      return 'system';
  }
}

/** The final state that an end leads to. */
export function finalState(reason: RunReason): 'success' | 'failure' | 'killed' | 'timed_out' {
  switch (faultOf(reason)) {
    case 'none':
      return 'success';
    case 'cancelled':
      return 'killed';
    case 'timeout':
      return 'timed_out';
    case 'user':
    case 'system':
      return 'failure';
  }
}
