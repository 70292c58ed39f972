/** How much is asked of the platform, and how often things are done to it. */
export interface FaultSizes {
  /** Deploys of one version over another, under load. */
  readonly swaps: number;
  /** Requests while a pod, and while a host, is told to end again and again. */
  readonly requestsUnderTermination: number;
  /** How long ten times as much is asked as can be answered. */
  readonly overloadMs: number;
  /** Deploys of a pipeline, each followed by an undeploy. */
  readonly deployCycles: number;
  /** How long the database takes no connection. */
  readonly databaseOutageMs: number;
  /** Least share of the peak that is answered meanwhile. In seconds, other work on the machine weighs more. */
  readonly goodputShare: number;
}

const short: FaultSizes = {
  swaps: 6,
  requestsUnderTermination: 1_500,
  overloadMs: 8_000,
  goodputShare: 0.75,
  deployCycles: 30,
  databaseOutageMs: 6_000,
};
const long: FaultSizes = {
  swaps: 100,
  requestsUnderTermination: 20_000,
  overloadMs: 60_000,
  goodputShare: 0.9,
  deployCycles: 500,
  databaseOutageMs: 60_000,
};

/** `npm run faults` is long, the stage of `npm test` short. */
export const sizes: FaultSizes = process.env['PADEMELON_FAULTS'] === 'long' ? long : short;
