/** What the schedule enqueuer does to the database. */
export interface ScheduleStore {
  /**
   * Gives every task that is due its runs and moves it to its next slot, task by task in one transaction, up to `limit`
   * tasks. Several enqueuers may work at once: each task is one's at a time. Resolves to how many tasks were due.
   */
  enqueueDue(limit: number): Promise<EnqueueResult>;
  /** Gives continuous tasks whose last run is over their next one. Resolves to the number of runs made. */
  enqueueContinuous(limit: number): Promise<number>;
}

export interface EnqueueResult {
  readonly due: number;
  readonly runs: number;
  readonly skipped: number;
}
