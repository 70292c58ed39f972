import type { SdkGeneration } from '@pademelon/contracts';
import { gatherColumn, type RowPlaces } from './gather-column.ts';
import { toInt64 } from './int64-values.ts';
import type { LogBatch, LogColumn, LogStrings } from './log-batch.ts';
import { type LogPage, orderedRows } from './log-page.ts';

/** Rows as they are answered: columns of flat names, all of rowCount rows; `time` is always the first. */
export interface LogTable {
  readonly rowCount: number;
  readonly columns: readonly LogColumn[];
}

export interface TableOptions {
  readonly order: 'asc' | 'desc';
  /** 2023 knows `check_failures`, a list of names; everyone else `anomaly.count` and `anomaly.<check>`. */
  readonly generation: SdkGeneration;
  /** Whether a column is wanted, by its name. `time` comes whatever it says: the SDKs look for it. */
  includes(name: string): boolean;
}

/** The rows of a page, by time. An empty page has the column `time` alone: which others there would be is not known. */
export function tabulate(page: LogPage, options: TableOptions): LogTable {
  const { rowCount, selections } = page;
  if (rowCount === 0) return { rowCount, columns: [wholeNumbers('time', new BigInt64Array(0))] };
  const ordered = orderedRows(page, options.order);
  const places: RowPlaces = { source: ordered.selection, row: ordered.row };
  const batches = selections.map(({ batch }) => batch);
  const makers: [string, () => LogColumn][] = [['time', () => timeColumn(batches, places)]];
  batches[0]!.columns.forEach(({ name }, number) => {
    const sources = () => batches.map((batch) => batch.columns[number]!);
    makers.push([name, () => gatherColumn(sources(), places)]);
  });
  makers.push(...(options.generation === '2023' ? checkFailures(batches, places) : anomalies(batches, places)));
  makers.push(...metadata(batches, places));
  const wanted = makers.filter(([name]) => name === 'time' || options.includes(name));
  return { rowCount, columns: wanted.map(([, make]) => make()) };
}

type Makers = [string, () => LogColumn][];

function timeColumn(batches: readonly LogBatch[], { source, row }: RowPlaces): LogColumn {
  const times = new Float64Array(row.length);
  for (let i = 0; i < row.length; i++) times[i] = batches[source[i]!]!.timesMs[row[i]!]!;
  return wholeNumbers('time', toInt64(times));
}

function checkFailures(batches: readonly LogBatch[], places: RowPlaces): Makers {
  const make = (): LogColumn => {
    const { checks } = batches[0]!.facts;
    const names: string[] = [];
    const offsets = new Int32Array(places.row.length + 1);
    places.row.forEach((row, i) => {
      for (const number of failedChecks(batches[places.source[i]!]!, row)) names.push(checks[number]!);
      offsets[i + 1] = names.length;
    });
    return { name: 'check_failures', type: 'utf8', rowShape: [-1], values: toStrings(names), offsets };
  };
  return [['check_failures', make]];
}

function anomalies(batches: readonly LogBatch[], { source, row }: RowPlaces): Makers {
  const count = (): LogColumn => ({
    name: 'anomaly.count',
    type: 'uint32',
    rowShape: [],
    values: Uint32Array.from(row, (index, i) => failedChecks(batches[source[i]!]!, index).length),
  });
  const flags = batches[0]!.facts.checks.map((check, number): [string, () => LogColumn] => {
    const name = `anomaly.${check}`;
    const isFailed = (index: number, i: number) => (failedChecks(batches[source[i]!]!, index).includes(number) ? 1 : 0);
    return [name, () => ({ name, type: 'bool', rowShape: [], values: Uint8Array.from(row, isFailed) })];
  });
  return [['anomaly.count', count], ...flags];
}

const noChecks = new Int32Array(0);

function failedChecks({ failures }: LogBatch, row: number): Int32Array {
  return failures === null ? noChecks : failures.numbers.subarray(failures.offsets[row], failures.offsets[row + 1]);
}

function metadata(batches: readonly LogBatch[], { source, row }: RowPlaces): Makers {
  const perRow = (name: string, text: (batch: LogBatch, index: number) => string): [string, () => LogColumn] => [
    name,
    () => {
      const texts = Array.from(row, (index, i) => text(batches[source[i]!]!, index));
      return { name, type: 'utf8', rowShape: [], values: toStrings(texts) };
    },
  ];
  const lastModels = batches.map(({ facts: { lastModel } }) =>
    JSON.stringify({ model_name: lastModel.name, model_sha: lastModel.sha }),
  );
  const lastModel = (batch: LogBatch) => lastModels[batches.indexOf(batch)]!;
  return [
    perRow('metadata.last_model', lastModel),
    perRow('metadata.pipeline_version', (batch) => batch.facts.pipelineVersion),
    ['metadata.elapsed', () => elapsed(batches, { source, row })],
    ['metadata.dropped', () => dropped(batches, { source, row })],
    perRow('metadata.partition', (batch, index) => batch.facts.podIds[batch.pods[index]!]!),
  ];
}

function elapsed(batches: readonly LogBatch[], { source, row }: RowPlaces): LogColumn {
  const values = new Float64Array(row.length * 2);
  const offsets = new Int32Array(row.length + 1);
  for (let i = 0; i < row.length; i++) {
    const [request, models] = batches[source[i]!]!.elapsedNs;
    values[i * 2] = Math.round(request[row[i]!]!);
    values[i * 2 + 1] = Math.round(models[row[i]!]!);
    offsets[i + 1] = (i + 1) * 2;
  }
  return { name: 'metadata.elapsed', type: 'int64', rowShape: [-1], values: toInt64(values), offsets };
}

function dropped(batches: readonly LogBatch[], { source, row }: RowPlaces): LogColumn {
  const names: string[] = [];
  const offsets = new Int32Array(row.length + 1);
  for (let i = 0; i < row.length; i++) {
    names.push(...batches[source[i]!]!.facts.dropped);
    offsets[i + 1] = names.length;
  }
  return { name: 'metadata.dropped', type: 'utf8', rowShape: [-1], values: toStrings(names), offsets };
}

function wholeNumbers(name: string, values: BigInt64Array): LogColumn {
  return { name, type: 'int64', rowShape: [], values };
}

/** Most texts of a column are the same one, so each is encoded once. */
function toStrings(texts: readonly string[]): LogStrings {
  const encoder = new TextEncoder();
  const encoded = new Map<string, Uint8Array>();
  const pieces = texts.map((text) => {
    let piece = encoded.get(text);
    if (piece === undefined) {
      piece = encoder.encode(text);
      encoded.set(text, piece);
    }
    return piece;
  });
  const byteOffsets = new Int32Array(texts.length + 1);
  for (let i = 0; i < pieces.length; i++) byteOffsets[i + 1] = byteOffsets[i]! + pieces[i]!.length;
  const bytes = new Uint8Array(byteOffsets[texts.length]!);
  for (let i = 0; i < pieces.length; i++) bytes.set(pieces[i]!, byteOffsets[i]!);
  return { byteOffsets, bytes };
}
