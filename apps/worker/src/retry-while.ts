const pauseMs = 250;

/**
 * Does the work again while it throws and `isWorthIt` says so: the database may be restarting, and what it was told is
 * idempotent. Throws the last error when it is not worth it any more.
 */
export async function retryWhile<T>(isWorthIt: () => boolean, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isWorthIt()) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
