import type { Schedule } from './schedule.ts';
import type { MissedRunPolicy, OverlapPolicy } from './task.ts';

export interface DueTask {
  /** The slot that is due. */
  readonly nextRunAt: Date;
  readonly overlapPolicy: OverlapPolicy;
  readonly missedRunPolicy: MissedRunPolicy;
  /** Whether an earlier run of the task is unfinished. */
  readonly isBusy: boolean;
  /** Runs of the task that nobody has begun. */
  readonly pendingRuns: number;
}

export interface SlotPlan {
  /** Slots that get a run, oldest first. */
  readonly slots: readonly Date[];
  /** When the task is due next; null when it never is again. */
  readonly nextRunAt: Date | null;
  /** Slots that are passed over, and why; for the operators' metrics. */
  readonly skipped: number;
}

/** A slot that is older than this was missed: nothing enqueued when it was due. */
const lateAfterMs = 60_000;

/** Runs of one task that may wait for a worker: a schedule that is faster than its runs must not fill the database. */
export const maxPendingRuns = 50;

/**
 * Decides, apart from every write, what a task that is due gets. All moments are the database's.
 *
 * Of the slots up to now: `all` takes each, `last` the newest one, `skip` the newest one unless it is more than a minute
 * old. Then the overlap policy: `skip` takes none while a run is unfinished, and one at the most. Whatever the policies,
 * no more runs wait than may: of the slots that do not fit, the newest win.
 */
export function planSlots(task: DueTask, schedule: Schedule, now: Date): SlotPlan {
  const { due, count } = dueSlots(task.nextRunAt, schedule, now, task.missedRunPolicy === 'all' ? maxPendingRuns : 1);
  const newest = due.at(-1);
  const isMissed = newest !== undefined && now.getTime() - newest.getTime() > lateAfterMs;
  const wanted = task.missedRunPolicy === 'skip' && isMissed ? [] : due;
  const allowed = task.overlapPolicy !== 'skip' ? wanted : task.isBusy ? [] : wanted.slice(-1);
  const room = Math.max(0, maxPendingRuns - task.pendingRuns);
  const slots = allowed.slice(Math.max(0, allowed.length - room));
  return { slots, nextRunAt: schedule.next(now), skipped: count - slots.length };
}

/** The newest `keep` slots from `first` up to now, and how many there were (counted up to a bound). */
function dueSlots(first: Date, schedule: Schedule, now: Date, keep: number): { due: Date[]; count: number } {
  const due: Date[] = [];
  let count = 0;
  // After a long downtime the walk would be endless; what is wanted are the newest, so it begins near the end.
  let slot: Date | null = schedule.startOfNewest(keep, first, now);
  while (slot !== null && slot <= now) {
    due.push(slot);
    if (due.length > keep) due.shift();
    count += 1;
    slot = schedule.next(slot);
  }
  return { due, count };
}
