/** Longer than a caller on the same machine takes from an answer to its next request. */
const spanMs = 0.2;
const fewCallers = 2;

/**
 * Keeps the event loop looking for bytes for a fifth of a millisecond after each request, instead of going to sleep at
 * once: to be woken up takes 30 to 50 µs, which for one row is as long as all the rest. It does so only while no more
 * than two callers are connected; with more of them there is hardly any sleep, and the CPU has better things to do.
 */
export class Wakefulness {
  readonly #countCallers: () => number;
  #untilMs = 0;
  #isAwake = false;

  constructor(countCallers: () => number) {
    this.#countCallers = countCallers;
  }

  /** Something came or was answered, and more may follow at once. */
  prolong(): void {
    if (this.#countCallers() > fewCallers) return;
    this.#untilMs = performance.now() + spanMs;
    if (this.#isAwake) return;
    this.#isAwake = true;
    setImmediate(this.#look);
  }

  readonly #look = (): void => {
    this.#isAwake = performance.now() < this.#untilMs;
    if (this.#isAwake) setImmediate(this.#look);
  };
}
