import type { InputHint, InputHints } from '../input-batch.ts';

/**
 * How to read columns that any of several models may take: what they agree on is kept, and what they do not agree on is
 * read by what it holds.
 */
export function commonHints(all: readonly InputHints[]): InputHints {
  const common = new Map<string, InputHint>();
  const disputed = new Set<string>();
  for (const hints of all) {
    for (const [name, hint] of hints) {
      const known = common.get(name);
      if (known === undefined) common.set(name, hint);
      else if (known.type !== hint.type || String(known.rowShape) !== String(hint.rowShape)) disputed.add(name);
    }
  }
  for (const name of disputed) common.delete(name);
  return common;
}

/** For a step that changes the width of rows before the model sees them: flat lists of any length. */
export function anyWidth(hints: InputHints): InputHints {
  return new Map(Array.from(hints, ([name, { type }]) => [name, { type, rowShape: [null] }]));
}
