/** Resolves to the first result that is neither null nor undefined nor false; fails after the deadline, saying what. */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T> | T,
  deadlineMs = 15_000,
): Promise<Exclude<T, null | undefined | false>> {
  const deadlineAt = performance.now() + deadlineMs;
  for (;;) {
    const result = await probe();
    if (result !== null && result !== undefined && result !== false) {
      return result as Exclude<T, null | undefined | false>;
    }
    if (performance.now() > deadlineAt) throw new Error(`Waited ${deadlineMs} ms in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
