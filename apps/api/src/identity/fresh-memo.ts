/** Remembers for a short while what was looked up, at most `max` things; the ones asked for at once share a look-up. */
export class FreshMemo<Value> {
  readonly #options: { readonly freshMs: number; readonly max: number; readonly now: () => number };
  readonly #entries = new Map<string, { readonly value: Promise<Value>; readonly loadedAtMs: number }>();

  constructor(options: { freshMs: number; max: number; now: () => number }) {
    this.#options = options;
  }

  get(key: string, load: () => Promise<Value>): Promise<Value> {
    const { freshMs, max, now } = this.#options;
    const known = this.#entries.get(key);
    if (known !== undefined && now() - known.loadedAtMs < freshMs) return known.value;
    const entry = { value: load(), loadedAtMs: now() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    forgetOldest(this.#entries, max);
    // What failed is not remembered: the next request asks again.
    entry.value.catch(() => this.#entries.get(key) === entry && this.#entries.delete(key));
    return entry.value;
  }
}

export function forgetOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
