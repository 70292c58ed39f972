/** What is known of a logged request before it is written: all that a page must say of it. */
export interface PlannedRecord {
  /** Number of its first row in the pipeline's log. */
  readonly firstRow: number;
  readonly rowCount: number;
  readonly timeMs: number;
}

/** Requests that came one after the other: some of many rows, then many of a few, mostly one. */
export interface PlannedStretch {
  readonly bulk: readonly PlannedRecord[];
  readonly lone: readonly PlannedRecord[];
}

export interface PlannedDay {
  readonly daysAgo: number;
  readonly stretches: readonly PlannedStretch[];
}

export const plannedDays = 5;
const stretchesADay = 10;
/** Of ten million rows; a smaller log has fewer and smaller requests. */
const fullRows = 10_000_000;
const bulkRows = 40_000;
const lonesAStretch = 900;
const dayMs = 86_400_000;

/** The traffic of five days up to now, the same in every run but for the times. */
export function planLog(rows: number, nowMs: number): PlannedDay[] {
  const midnight = Math.floor(nowMs / dayMs) * dayMs;
  const rowsADay = Math.ceil(rows / plannedDays);
  const days: PlannedDay[] = [];
  for (let daysAgo = plannedDays - 1; daysAgo >= 0; daysAgo--) {
    const firstRow = (plannedDays - 1 - daysAgo) * rowsADay;
    const startMs = daysAgo > 0 ? midnight - daysAgo * dayMs : Math.min(midnight, nowMs - 3_600_000);
    const endMs = daysAgo > 0 ? startMs + dayMs : nowMs - 10_000;
    days.push({ daysAgo, stretches: planDay(rows, { firstRow, startMs, endMs }, Math.min(rows, firstRow + rowsADay)) });
  }
  return days;
}

interface Begin {
  readonly firstRow: number;
  readonly startMs: number;
  readonly endMs: number;
}

function planDay(rows: number, { firstRow, startMs, endMs }: Begin, endRow: number): PlannedStretch[] {
  const random = randomNumbers(firstRow + 1);
  const rowsEach = Math.ceil((endRow - firstRow) / stretchesADay);
  const msEach = (endMs - startMs) / stretchesADay;
  return Array.from({ length: stretchesADay }, (_, i) => {
    const first = Math.min(endRow, firstRow + i * rowsEach);
    const begin = { firstRow: first, startMs: startMs + i * msEach, endMs: startMs + (i + 1) * msEach };
    return planStretch(rows, begin, { endRow: Math.min(endRow, first + rowsEach), random });
  });
}

interface End {
  readonly endRow: number;
  readonly random: () => number;
}

function planStretch(rows: number, { firstRow, startMs, endMs }: Begin, { endRow, random }: End): PlannedStretch {
  const scale = rows / fullRows;
  const loneCount = Math.max(5, Math.round(lonesAStretch * scale));
  const mostRows = Math.floor((0.9 * (endRow - firstRow)) / loneCount);
  const sizes = Array.from({ length: loneCount }, () => (random() < 0.6 ? 1 : 1 + Math.floor(random() * mostRows)));
  const bulkEnd = endRow - sizes.reduce((sum, size) => sum + size, 0);
  const bulk: PlannedRecord[] = [];
  for (let row = firstRow; row < bulkEnd; row += bulk.at(-1)!.rowCount) {
    const rowCount = Math.min(bulkEnd - row, Math.max(20, Math.round(bulkRows * scale)));
    // The first took its time, so that it is logged behind requests that came after it.
    const timeMs = Math.floor(startMs) + (bulk.length === 0 ? -400 : bulk.length * 1_500);
    bulk.push({ firstRow: row, rowCount, timeMs });
  }
  const loneStartMs = startMs + bulk.length * 1_500;
  const everyMs = (endMs - loneStartMs) / loneCount;
  let row = bulkEnd;
  const lone = sizes.map((rowCount, i) => {
    const timeMs = Math.floor(loneStartMs + (i + 0.8 * random()) * everyMs);
    row += rowCount;
    return { firstRow: row - rowCount, rowCount, timeMs };
  });
  return { bulk, lone };
}

export interface AskedRows {
  readonly order: 'asc' | 'desc';
  /** Row to begin with, or to end before where the order is descending. */
  readonly at?: number;
  readonly limit?: number;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly onlyFailures?: boolean;
}

/** Rows of the log that a page must have, in its order, at most `limit`. */
export function expectRows(records: readonly PlannedRecord[], asked: AskedRows, rows: number): number[] {
  const { order, at, limit = 400_000, startMs = 0, endMs = Number.MAX_SAFE_INTEGER, onlyFailures = false } = asked;
  const isAsc = order === 'asc';
  const from = isAsc ? (at ?? 0) : 0;
  const below = isAsc ? rows : (at ?? rows);
  const found: number[] = [];
  for (const { firstRow, rowCount, timeMs } of isAsc ? records : records.toReversed()) {
    if (timeMs < startMs || timeMs > endMs || firstRow >= below || firstRow + rowCount <= from) continue;
    for (let i = 0; i < rowCount && found.length < limit; i++) {
      const row = isAsc ? firstRow + i : firstRow + rowCount - 1 - i;
      if (row >= from && row < below && (!onlyFailures || failsCheck(row, rows))) found.push(row);
    }
    if (found.length === limit) break;
  }
  return found;
}

/**
 * Some thousand of ten million; on the oldest day they are rare, one in half a request of many rows. Counted from the
 * end, where the last few rows are real ones and none fails.
 */
export function failsCheck(row: number, rows: number): boolean {
  const every = row < rows / plannedDays ? 20_000 : 2_500;
  return (rows - row) % Math.max(100, Math.round((every * rows) / fullRows)) === 0;
}

/** Numbers from 0 to 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
