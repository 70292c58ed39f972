/** Something that must be done by a moment, which moves as it makes progress. */
export interface Watched {
  /** Milliseconds on the clock of the watch; Infinity for none. */
  deadlineAt: number;
  /** Called once the deadline has passed; it should end the thing or move its deadline. */
  onDeadline(): void;
}

/**
 * Looks over all connections every half second, instead of a timer each: setting a deadline then costs one assignment
 * a request. Deadlines are met with that resolution. Nobody is late because this process was busy with something else: such
 * a time counts as a second at most, and what came in it is read before anyone is judged (timers fire before the event
 * loop reads, immediates after it).
 */
export class DeadlineWatch {
  static readonly resolutionMs = 500;
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  #lookedAt = performance.now();
  /** Milliseconds, monotonic, brought forward at every look: a second is as far as it goes in one. */
  now = 0;

  constructor() {
    this.#timer = setInterval(() => {
      this.#goOn();
      setImmediate(() => this.#endOverdue());
    }, DeadlineWatch.resolutionMs);
    this.#timer.unref();
  }

  get size(): number {
    return this.#watched.size;
  }

  add(thing: Watched): void {
    this.#watched.add(thing);
  }

  delete(thing: Watched): void {
    this.#watched.delete(thing);
  }

  /** Brings `now` forward and ends at once what is overdue. */
  look(): void {
    this.#goOn();
    this.#endOverdue();
  }

  #goOn(): void {
    const before = this.#lookedAt;
    this.#lookedAt = performance.now();
    this.now += Math.min(this.#lookedAt - before, 2 * DeadlineWatch.resolutionMs);
  }

  #endOverdue(): void {
    for (const thing of this.#watched) {
      if (thing.deadlineAt <= this.now) thing.onDeadline();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
