/** How many there are of what, by state. Read for operators; decides nothing. */
export interface PlatformState {
  readonly pods: Readonly<Record<string, number>>;
  readonly runs: Readonly<Record<string, number>>;
  readonly orchestrations: Readonly<Record<string, number>>;
  /** Workers seen within the last minute, by how they sandbox runs: jail or process. */
  readonly workers: Readonly<Record<string, number>>;
  readonly inferenceHosts: number;
  readonly deployments: number;
  /** Rows of the inference log that could not be written, since the beginning. */
  readonly droppedLogRows: number;
}
