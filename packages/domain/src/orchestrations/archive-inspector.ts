/** Looks into a zip that was uploaded as an orchestration. */
export interface ArchiveInspector {
  /**
   * Throws `invalid_archive` with the reason when it cannot be run, `too_large` when it would unpack to too much.
   * Answers within seconds: contents that are too big to be read in that time are left to packaging.
   */
  inspect(file: string): Promise<void>;
}
