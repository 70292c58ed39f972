const firstMs = 500;
const longestMs = 60_000;

/** Crashes in a row after which a pod counts as in error; it is still tried again, ever more slowly. */
export const crashLoopLength = 3;

/** A pod that served for this long is healthy: a crash after it is not a repeated one. */
export const healthyAfterMs = 30_000;

/** How long to wait before the next start after `crashes` crashes in a row: nothing after the first, then doubling. */
export function restartDelayMs(crashes: number): number {
  return crashes <= 1 ? 0 : Math.min(longestMs, firstMs * 2 ** (crashes - 2));
}
