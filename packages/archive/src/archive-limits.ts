/** What an uploaded zip may be at the most. */
export interface ArchiveLimits {
  readonly entries: number;
  /** Bytes of all entries together, unpacked. */
  readonly unpackedBytes: number;
  /** Unpacked bytes for one compressed byte of an entry, beyond a first mebibyte. */
  readonly ratio: number;
  readonly depth: number;
  readonly nameBytes: number;
}

export const defaultArchiveLimits: ArchiveLimits = {
  entries: 10_000,
  unpackedBytes: 1024 ** 3,
  ratio: 100,
  depth: 20,
  nameBytes: 255,
};
