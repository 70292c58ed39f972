/** What a caller wants to see of each row, from `dataset[]`, `dataset.exclude[]` and `dataset.separator`. */
export interface LogDataset {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Joins group and field to one name (`in.tensor`); null where groups are nested (`in` with a field `tensor`). */
  readonly separator: string | null;
}

/**
 * Whether the dataset has the column of that name. A name stands for itself and all below it (`out` for `out.price`),
 * `*` for everything; where both an inclusion and an exclusion match, the longer decides, and of equal ones the
 * exclusion. Unlike in an answer, `*` has the metadata too: the SDKs exclude it where they do not want it.
 */
export function includesColumn({ include, exclude }: LogDataset, name: string): boolean {
  const included = include.length === 0 ? 0 : longestMatch(include, name);
  return included >= 0 && included > longestMatch(exclude, name);
}

/** Length of the longest entry that stands for the name: 0 for `*`, -1 for none. */
function longestMatch(entries: readonly string[], name: string): number {
  let longest = -1;
  for (const entry of entries) {
    if (entry === '*') longest = Math.max(longest, 0);
    else if (name === entry || name.startsWith(`${entry}.`)) longest = Math.max(longest, entry.length);
  }
  return longest;
}
