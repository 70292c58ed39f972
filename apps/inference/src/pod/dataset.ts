/** What a caller wants to see of each row, from the query parameters `dataset[]`, `dataset.exclude[]`, `dataset.separator`. */
export interface Dataset {
  /** Joins a group and a field to one flat name (`in.tensor`); null where groups stay nested objects. */
  readonly separator: string | null;
  /** Whether a field is wanted; its path is written with dots whatever the separator: `out.variable`. */
  includes(path: string): boolean;
}

/**
 * A name selects itself and everything below it; of two names that match, the longer one decides, and of two equal ones
 * the exclusion. `*` selects everything but metadata, which has to be asked for by name, as the SDKs do. A plain HTTP
 * caller without any of these parameters gets everything, nested.
 */
export function readDataset(query: URLSearchParams): Dataset {
  const included = [...query.getAll('dataset[]'), ...query.getAll('dataset')];
  const excluded = [...query.getAll('dataset.exclude[]'), ...query.getAll('dataset.exclude')];
  const separator = query.get('dataset.separator');
  if (included.length === 0 && excluded.length === 0 && separator === null) {
    return { separator: null, includes: () => true };
  }
  if (included.length === 0) included.push('*');
  return {
    separator,
    includes(path) {
      const wanted = longestMatch(included, path);
      return wanted >= 0 && wanted > longestMatch(excluded, path);
    },
  };
}

/** Length of the longest name that matches: 0 for `*`, -1 for none. */
function longestMatch(names: readonly string[], path: string): number {
  let longest = -1;
  for (const name of names) {
    const length = name === '*' ? (path.startsWith('metadata') ? -1 : 0) : matches(name, path) ? name.length : -1;
    if (length > longest) longest = length;
  }
  return longest;
}

function matches(name: string, path: string): boolean {
  return path === name || (path.startsWith(name) && path[name.length] === '.');
}
