const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity as a number: `2`, `"500m"`, `"1.5Gi"`; null when it is none. */
export function parseQuantity(quantity: unknown): number | null {
  if (typeof quantity === 'number') return Number.isFinite(quantity) && quantity >= 0 ? quantity : null;
  if (typeof quantity !== 'string') return null;
  const match = /^(\d+(?:\.\d+)?)([a-zA-Z]{0,2})$/.exec(quantity.trim());
  const factor = match === null ? undefined : suffixes[match[2]!];
  return factor === undefined ? null : Number(match![1]) * factor;
}

/** A member of what may be an object; undefined where it is none, or the member is null. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string, unknown>)[name] ?? undefined;
}
