/** Milliseconds of the clock that only goes forward; the same in every process of this machine, frozen or not. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
