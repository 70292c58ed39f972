import type { RestClient } from '../tests/acceptance/support/rest-client.ts';
import { type AskedRows, expectRows, type PlannedRecord } from './log-plan.ts';
import { askPage, askRecords, type LogIterator, type TimedPage } from './log-reader.ts';

/** A log in the product, and what is known to be in it. */
export interface ReadLog {
  readonly client: RestClient;
  readonly pipeline: {
    readonly id: number;
    readonly name: string;
    readonly workspaceId: number;
    readonly model: { readonly name: string };
  };
  readonly records: readonly PlannedRecord[];
  readonly rows: number;
}

export interface PageCase {
  readonly name: string;
  /** Throws where the page is not the right one. */
  ask(): Promise<TimedPage>;
}

/** Every kind of page that the SDKs ask for. */
export function pageCases(log: ReadLog): PageCase[] {
  const { client, pipeline, records, rows } = log;
  const topic = topicOf(log);
  const model = `model-${pipeline.model.name}-inference`;
  const deep = Math.floor(rows * 0.9);
  const bulk = records.filter(({ rowCount }) => rowCount === records[1]!.rowCount);
  const middle = bulk[bulk.length >> 1]!;
  const lone = records[records.findIndex(({ firstRow }) => firstRow === middle.firstRow) + 200] ?? records.at(-9)!;
  const hour = { startMs: middle.timeMs - 600_000, endMs: middle.timeMs + 3_000_000 };
  const second = (timeMs: number) => ({ startMs: timeMs, endMs: timeMs + 999 });
  const newest = { order: 'desc', limit: 100 } as const;
  const oldest = { order: 'asc', limit: 100 } as const;
  return [
    pageCase(log, topic, 'newest 100', newest),
    pageCase(log, topic, 'newest 1,000', { order: 'desc', limit: 1_000 }),
    pageCase(log, topic, 'newest 10,000', { order: 'desc', limit: 10_000 }),
    {
      name: 'newest 1,000 as JSON (get_logs)',
      ask: async () =>
        checkPage(log, await askRecords(client, pipeline), {
          name: 'get_logs',
          asked: { order: 'desc', limit: Math.min(rows, 1_000) },
        }),
    },
    pageCase(log, topic, 'oldest 100', oldest),
    pageCase(log, topic, 'an hour, its first 100', { order: 'asc', limit: 100, ...hour }),
    pageCase(log, topic, 'an hour, as much as a page takes', { order: 'asc', ...hour }),
    pageCase(log, topic, 'a second with a lone request', { order: 'asc', ...second(lone.timeMs) }),
    pageCase(log, topic, 'a second with a request of many rows', { order: 'asc', ...second(middle.timeMs) }),
    { name: 'the tenth page from the newest; CPU of all ten', ask: () => askTenth(log) },
    pageCase(log, topic, 'oldest first, after 90 %', { ...oldest, at: deep }),
    pageCase(log, topic, 'newest first, after 90 %', { ...newest, at: rows - deep }),
    pageCase(log, `${topic}-failures`, 'newest 100 failures', { ...newest, onlyFailures: true }),
    pageCase(log, `${topic}-failures`, 'oldest 100 failures, which are rare', { ...oldest, onlyFailures: true }),
    pageCase(log, `${topic}-failures`, 'failures of an hour', { order: 'asc', ...hour, onlyFailures: true }),
    pageCase(log, model, "the model's newest 100", newest),
    pageCase(log, model, "the model's hour, its first 100", { order: 'asc', limit: 100, ...hour }),
    pageCase(log, `${model}-failures`, "the model's newest 100 failures", { ...newest, onlyFailures: true }),
  ];
}

function topicOf({ pipeline }: ReadLog): string {
  return `workspace-${pipeline.workspaceId}-pipeline-${pipeline.name}-inference`;
}

function pageCase(log: ReadLog, topic: string, name: string, asked: AskedRows): PageCase {
  const expected = expectRows(log.records, asked, log.rows);
  const iterator = asked.at === undefined ? {} : { [`pipeline-${log.pipeline.id}`]: asked.at };
  return {
    name,
    ask: async () =>
      checkPage(log, await askPage(log.client, topic, parametersOf(asked), iterator), { name, asked, expected }),
  };
}

function parametersOf({ order, limit, startMs, endMs }: AskedRows): Record<string, string> {
  const time = (ms: number) => new Date(ms).toISOString().replace('Z', '+00:00');
  // With a window the SDKs say nothing of the order: it is ascending.
  return {
    ...(startMs === undefined ? { order } : { 'time.start': time(startMs), 'time.end': time(endMs!) }),
    ...(limit !== undefined && { page_size: String(limit) }),
  };
}

/** Follows `next` for nine pages, and gives the one after it. */
async function askTenth(log: ReadLog): Promise<TimedPage> {
  let iterator: LogIterator = {};
  for (let number = 1; ; number++) {
    const page = await askPage(log.client, topicOf(log), { order: 'desc', page_size: '100' }, iterator);
    const at = log.rows - (number - 1) * 100;
    checkPage(log, page, { name: `page ${number}`, asked: { order: 'desc', limit: 100, at } });
    if (number === 10) return page;
    iterator = page.next!;
  }
}

export interface ExportCase {
  readonly name: string;
  run(): Promise<{ readonly pages: number; readonly rowsPerSecond: number; readonly longestMs: number }>;
}

/** `export_logs` with a limit: page after page, newest first, as many rows as an answer takes. */
export function exportCases(log: ReadLog): ExportCase[] {
  return [100, 10].map((share) => {
    const limit = Math.floor(log.rows / share);
    return { name: `the newest ${limit.toLocaleString('en')} rows`, run: () => exportRows(log, limit) };
  });
}

async function exportRows(log: ReadLog, limit: number): ReturnType<ExportCase['run']> {
  let iterator: LogIterator = {};
  let taken = 0;
  let pages = 0;
  let ms = 0;
  let longestMs = 0;
  while (taken < limit) {
    const page = await askPage(log.client, topicOf(log), { order: 'desc', page_size: String(limit) }, iterator);
    const end = log.rows - taken;
    const sorted = Float64Array.from(page.rows).sort();
    const isRight = sorted.length > 0 && sorted.every((row, i) => row === end - sorted.length + i);
    if (!isRight) throw new Error(`Page ${pages + 1} of an export does not have the rows that end with ${end - 1}.`);
    // The last page has more than is missing: the limit is one of the page, and the SDK cuts it.
    taken += sorted.length;
    pages++;
    ms += page.ms;
    longestMs = Math.max(longestMs, page.ms);
    iterator = page.next ?? {};
  }
  return { pages, rowsPerSecond: (taken / ms) * 1000, longestMs };
}

interface WantedPage {
  readonly name: string;
  readonly asked: AskedRows;
  readonly expected?: readonly number[];
}

/** Throws unless the page has the rows asked for, in the order of their times; an answer may be cut by its bytes. */
function checkPage(log: ReadLog, page: TimedPage, { name, asked, ...wanted }: WantedPage): TimedPage {
  const { rows, timesMs, status } = page;
  const expected = wanted.expected ?? expectRows(log.records, asked, log.rows);
  const isCut = status === 'ByteLimited' && rows.length > 0;
  if (rows.length !== expected.length && !(isCut && rows.length < expected.length)) {
    throw new Error(`${name}: ${rows.length} rows (${status}) where ${expected.length} are to be.`);
  }
  const right = Float64Array.from(expected.slice(0, rows.length)).sort();
  const got = Float64Array.from(rows).sort();
  const wrong = right.findIndex((row, i) => row !== got[i]);
  if (wrong >= 0) throw new Error(`${name}: row ${got[wrong]} where ${right[wrong]} is to be.`);
  for (let i = 0; i < rows.length; i++) {
    const before = timesMs[i - 1] ?? timesMs[i]!;
    if (asked.order === 'asc' ? before > timesMs[i]! : before < timesMs[i]!) throw new Error(`${name}: not by time.`);
  }
  for (const i of [0, rows.length - 1]) {
    const { timeMs } = recordOf(log.records, rows[i]!);
    if (timesMs[i] !== timeMs) throw new Error(`${name}: row ${rows[i]} is of ${timesMs[i]}, not of ${timeMs}.`);
  }
  return page;
}

function recordOf(records: readonly PlannedRecord[], row: number): PlannedRecord {
  const found = records.findLast(({ firstRow }) => firstRow <= row);
  if (found === undefined) throw new Error(`No record has the row ${row}.`);
  return found;
}
