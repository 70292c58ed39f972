/** A condition for texts that contain the term in any case; `%`, `_` and `\` in it stand for themselves. */
export function containing(term: string): { contains: string; mode: 'insensitive' } {
  return { contains: term.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' };
}
