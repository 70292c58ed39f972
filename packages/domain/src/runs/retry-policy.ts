import type { RunReason } from '@pademelon/contracts';
import { faultOf } from './run-state.ts';

/** What the end of an attempt means for its run. */
export type AttemptVerdict =
  | { readonly kind: 'finish'; readonly reason: RunReason }
  | { readonly kind: 'retry'; readonly delayMs: number };

/**
 * Decides, apart from every write, what follows the end of an attempt. A recorded wish to cancel beats a retry; user
 * faults are never retried; the delay doubles from 10 s to at most 10 min. A run that nobody started in time is not
 * retried: its deadline is over.
 */
export function judgeAttempt(end: {
  reason: RunReason;
  attempt: number;
  maxAttempts: number;
  isCancelRequested: boolean;
}): AttemptVerdict {
  const fault = faultOf(end.reason);
  if (end.isCancelRequested && fault !== 'none') return { kind: 'finish', reason: 'killed_by_user' };
  const isRetryable = (fault === 'system' || fault === 'timeout') && end.reason !== 'not_started';
  if (!isRetryable || end.attempt >= end.maxAttempts) return { kind: 'finish', reason: end.reason };
  return { kind: 'retry', delayMs: Math.min(10_000 * 2 ** (end.attempt - 1), 600_000) };
}
