const pauseMs = 250;

/**
 * Does the work again while it throws and `isWorthIt` says so: the database may be restarting, and what it was told is
 * idempotent. Throws the last error when it is not worth it any more.
 */
export async function retryWhile<T>(isWorthIt: (failures: number) => boolean, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isWorthIt(failures)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
