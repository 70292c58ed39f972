import type { Column } from '@pademelon/contracts';
import type { LogOrigin, LogRecord } from './log-record.ts';

export const origin: LogOrigin = {
  podId: '0b0e7c1e-0000-4000-8000-000000000001',
  pipelineId: 7,
  pipelineVersion: 'b5d2f4d0-0000-4000-8000-000000000002',
  modelNames: ['house-price'],
  checks: ['too-cheap', 'too-dear'],
};

/** A record of rows whose values all tell their number, starting with `first`. */
export function numberedRecord(first: number, rowCount: number, timeMs = 1_700_000_000_000 + first): LogRecord {
  const numbers = Array.from({ length: rowCount }, (_, i) => first + i);
  const columns: Column[] = [
    { name: 'in.tensor', type: 'float32', rowShape: [2], values: Float32Array.from(numbers.flatMap((n) => [n, -n])) },
    { name: 'in.index', type: 'utf8', rowShape: [], values: numbers.map(String) },
    { name: 'out.variable', type: 'float64', rowShape: [1], values: Float64Array.from(numbers, (n) => n / 3) },
  ];
  return {
    timeMs,
    rowCount,
    columns,
    checkFailures: null,
    lastModel: { name: 'house-price', sha: 'abc' },
    elapsedNs: [1_000, 2_000],
  };
}
