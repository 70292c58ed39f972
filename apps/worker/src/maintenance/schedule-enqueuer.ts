import type { ScheduleStore } from '@pademelon/domain';

const tasksAtOnce = 200;

/** Turns due slots into runs until none is due. Any number of workers may do this at once. */
export async function enqueueSchedules(store: ScheduleStore): Promise<void> {
  for (;;) {
    const { due } = await store.enqueueDue(tasksAtOnce);
    if (due < tasksAtOnce) break;
  }
  await store.enqueueContinuous(tasksAtOnce);
}
