/** How often each thing is done to the platform. */
export interface ChaosSizes {
  /** Kills of a worker, each with a run in every state. */
  readonly kills: number;
  readonly freezes: number;
  /** Times that Redis is emptied, and times that it is killed. */
  readonly redisFaults: number;
  /** Times that PostgreSQL is restarted, and times that it is killed. */
  readonly databaseFaults: number;
  /** Runs that are ordered between one fault and the next. */
  readonly runsPerFault: number;
  readonly scheduledTasks: number;
  /** Slots that pass for each task. */
  readonly slots: number;
  /** Whether the slots are waited for; otherwise the tasks' next slots are moved into the past, by the database's time. */
  readonly isRealTime: boolean;
}

const short: ChaosSizes = {
  kills: 2,
  freezes: 1,
  redisFaults: 1,
  databaseFaults: 1,
  runsPerFault: 8,
  scheduledTasks: 100,
  slots: 12,
  isRealTime: false,
};

const long: ChaosSizes = {
  kills: 20,
  freezes: 10,
  redisFaults: 20,
  databaseFaults: 10,
  runsPerFault: 20,
  scheduledTasks: 1_000,
  slots: 10,
  isRealTime: true,
};

/** `npm run chaos` is long, the stage of `npm test` short. */
export const isLong = process.env['PADEMELON_CHAOS'] === 'long';
export const sizes: ChaosSizes = isLong ? long : short;

/** The lease that the workers under test hold, and when a run has to be over after its worker died. */
export const leaseMs = 5_000;
export const finalWithinMs = leaseMs + 60_000;
