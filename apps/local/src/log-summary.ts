/**
 * Decides which lines of the services' logs the terminal shows: warnings and errors, one short line each, and the same
 * message of the same service only once in `quietMs`, with a count of how often it came meanwhile.
 */
export class LogSummary {
  readonly #print: (line: string) => void;
  readonly #now: () => number;
  readonly #quietMs: number;
  readonly #shown = new Map<string, { at: number; suppressed: number }>();

  constructor(options: { print: (line: string) => void; now?: () => number; quietMs?: number }) {
    this.#print = options.print;
    this.#now = options.now ?? Date.now;
    this.#quietMs = options.quietMs ?? 30_000;
  }

  /** Takes one line that a service wrote: pino's JSON, or text, which counts as a warning when it is from stderr. */
  take(service: string, line: string, isError: boolean): void {
    const event = readEvent(line, isError);
    if (event === undefined) return;
    const key = `${service} ${event}`;
    const now = this.#now();
    const shown = this.#shown.get(key);
    if (shown && now - shown.at < this.#quietMs) {
      shown.suppressed += 1;
      return;
    }
    const times = shown?.suppressed ? ` (and ${shown.suppressed} times before)` : '';
    if (this.#shown.size >= 200) this.#shown.clear();
    this.#shown.set(key, { at: now, suppressed: 0 });
    this.#print(`  ${service}: ${event}${times}`);
  }
}

const warnLevel = 40;
const errorLevel = 50;

function readEvent(line: string, isError: boolean): string | undefined {
  if (line.startsWith('{')) {
    try {
      const { level, msg, err } = JSON.parse(line) as { level?: number; msg?: string; err?: { message?: string } };
      if (typeof level === 'number') {
        if (level < warnLevel) return undefined;
        const reason = err?.message && err.message !== msg ? ` — ${err.message}` : '';
        return shorten(`${level >= errorLevel ? 'error' : 'warning'}: ${msg ?? 'no message'}${reason}`);
      }
    } catch {
      // Not JSON after all: text like any other.
    }
  }
  return isError && line.trim() !== '' ? shorten(line.trim()) : undefined;
}

function shorten(text: string): string {
  const firstLine = text.split('\n', 1)[0] as string;
  return firstLine.length > 240 ? `${firstLine.slice(0, 239)}…` : firstLine;
}
