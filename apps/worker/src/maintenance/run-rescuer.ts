import type { RunStore } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';

const runsAtOnce = 100;

/** Ends or re-queues runs whose worker did not renew its lease, and those that nobody started in time. */
export async function rescueRuns(store: Pick<RunStore, 'rescue'>, logger: Logger): Promise<void> {
  for (;;) {
    const rescued = await store.rescue(runsAtOnce);
    for (const id of rescued) logger.warn({ run: id }, 'a run was given up: its worker is lost, or nobody started it');
    if (rescued.length < runsAtOnce) return;
  }
}
