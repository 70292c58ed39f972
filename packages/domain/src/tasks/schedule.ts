import { Cron } from 'croner';
import { DomainError } from '../domain-error.ts';

/**
 * When a scheduled task is due: a cron pattern in an IANA time zone.
 *
 * Two forms are taken: five fields (minute hour day month weekday), and the six that the tutorial documents, which are
 * second minute hour day month year with a four-digit year (`0 0 12 1-15 2 2024`), which may be over. Day of month and
 * weekday given together mean either, as in Vixie cron. A time that the clocks skip runs at the end of the gap; a fixed
 * time that comes twice runs once (croner's rule, compared with cron-parser in the property test).
 */
export class Schedule {
  readonly text: string;
  readonly timeZone: string;
  readonly #cron: Cron;

  private constructor(text: string, timeZone: string, cron: Cron) {
    this.text = text;
    this.timeZone = timeZone;
    this.#cron = cron;
  }

  /** Throws `invalid_input` with a sentence and a hint, also for a schedule that has no slot in any year. */
  static parse(text: string, timeZone: string): Schedule {
    requireTimeZone(timeZone);
    const pattern = toCronPattern(text);
    let cron: Cron;
    try {
      cron = new Cron(pattern, { timezone: timeZone, paused: true, mode: 'auto' });
    } catch (cause) {
      throw invalidSchedule(text, 'a field is out of range or not understood', cause);
    }
    if (cron.nextRun(firstYear) === null) throw invalidSchedule(text, 'it is never due');
    return new Schedule(text, timeZone, cron);
  }

  /** The first slot after the moment, or null when there is none. */
  next(after: Date): Date | null {
    return this.#cron.nextRun(after);
  }

  /** A slot from `from` on, such that about `count` slots lie between it and `until`; `from` when there are fewer. */
  startOfNewest(count: number, from: Date, until: Date): Date {
    if (count === 1) return this.newestBetween(from, until) ?? from;
    // One more, because the second that is added to count a slot at the very end may hold one that is yet to come.
    const found = this.#cron.previousRuns(count + 1, new Date(until.getTime() + 1_000));
    const oldest = found
      .filter((slot) => slot <= until)
      .slice(0, count)
      .at(-1);
    return oldest !== undefined && oldest > from ? oldest : from;
  }

  /** The newest slot that is not after `until`, looking from `from` on; null when none lies between. */
  newestBetween(from: Date, until: Date): Date | null {
    const [previous] = this.#cron.previousRuns(1, new Date(until.getTime() + 1_000));
    const candidates = [previous ?? null, previous ? this.next(previous) : this.next(from)];
    const fitting = candidates.filter((slot): slot is Date => slot !== null && slot >= from && slot <= until);
    return fitting.at(-1) ?? null;
  }
}

const firstYear = new Date('0001-01-01T00:00:00Z');
const maxPatternLength = 256;

/** Croner's pattern for the text: seconds are always named, a year becomes its seventh field. */
function toCronPattern(text: string): string {
  if (text.length > maxPatternLength) throw invalidSchedule(`${text.slice(0, 20)}…`, 'it is too long');
  const fields = text.trim().split(/\s+/);
  if (fields.some((field) => !/^[0-9A-Za-z*,/?#L-]+$/.test(field)))
    throw invalidSchedule(text, 'it has odd characters');
  if (fields.length === 5) return `0 ${fields.join(' ')}`;
  if (fields.length !== 6) throw invalidSchedule(text, `it has ${fields.length} fields`);
  const [second, minute, hour, day, month, year] = fields as [string, string, string, string, string, string];
  if (!/^\d{4}([-,]\d{4})*$/.test(year)) {
    throw invalidSchedule(text, 'its sixth field is not a four-digit year');
  }
  if (!/^\d{1,2}$/.test(second)) throw invalidSchedule(text, 'its first field, the second, must be one number');
  return `${second} ${minute} ${hour} ${day} ${month} * ${year}`;
}

function requireTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    throw new DomainError(
      'invalid_input',
      `${JSON.stringify(timeZone)} is not a time zone; use an IANA name such as "Europe/Berlin" or "UTC".`,
      { cause },
    );
  }
}

function invalidSchedule(text: string, why: string, cause?: unknown): DomainError {
  return new DomainError(
    'invalid_input',
    `The schedule ${JSON.stringify(text)} cannot be used: ${why}. Write "minute hour day month weekday", for example "*/5 * * * *".`,
    cause === undefined ? {} : { cause },
  );
}
