import { DomainError, type LogDataset, type LogQuery } from '@pademelon/domain';
import { type Static, Type } from 'typebox';

const Texts = Type.Union([Type.String(), Type.Array(Type.String())]);
const Count = Type.String({ pattern: '^[1-9][0-9]{0,6}$' });

export const DatasetParameters = Type.Object({
  'dataset[]': Type.Optional(Texts),
  'dataset.exclude[]': Type.Optional(Texts),
  'dataset.separator': Type.Optional(Type.String({ minLength: 1, maxLength: 16 })),
});

export const RecordsParameters = Type.Object({
  ...DatasetParameters.properties,
  page_size: Type.Optional(Count),
  limit: Type.Optional(Count),
  order: Type.Optional(Type.Union([Type.Literal('asc'), Type.Literal('desc')])),
  'time.start': Type.Optional(Type.String()),
  'time.end': Type.Optional(Type.String()),
});

export function readDataset(parameters: Static<typeof DatasetParameters>): LogDataset {
  return {
    include: [parameters['dataset[]'] ?? []].flat(),
    exclude: [parameters['dataset.exclude[]'] ?? []].flat(),
    separator: parameters['dataset.separator'] ?? null,
  };
}

/** 100 rows unless a window or a page size is given; a window alone is bounded by the bytes of a page. */
export function readRecordsQuery(parameters: Static<typeof RecordsParameters>): Omit<LogQuery, 'iterator'> {
  const startMs = readTime('time.start', parameters['time.start']);
  const endMs = readTime('time.end', parameters['time.end']);
  const size = parameters.page_size ?? parameters.limit;
  const standard = startMs === null && endMs === null ? 100 : null;
  return { order: parameters.order ?? 'asc', limit: size === undefined ? standard : Number(size), startMs, endMs };
}

const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+ -]\d\d:?\d\d)?)?$/i;

/**
 * ISO 8601 to milliseconds since the epoch. A time without a zone is UTC, and a plus sign that came unencoded, so that
 * it reads as a space, is still one.
 */
export function readTime(name: string, text: string | null | undefined): number | null {
  if (text === undefined || text === null) return null;
  const match = isoTime.exec(text);
  if (match !== null) {
    const [, date, time = '00:00', fraction = '0', zone = 'Z'] = match;
    const seconds = time.length === 5 ? `${time}:00` : time;
    const offset = zone.replace(' ', '+').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
    const ms = Date.parse(`${date}T${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${offset.toUpperCase()}`);
    if (!Number.isNaN(ms)) return ms;
  }
  throw new DomainError(
    'invalid_input',
    `${name} must be a time like 2026-01-31T12:00:00+00:00, but is ${JSON.stringify(text)}.`,
  );
}
