import type { Column } from '@pademelon/contracts';
import type { LogRecord } from '@pademelon/inference-log/frames';
import { type AnswerData, failedChecks, sideGroup } from './answer-fields.ts';
import type { ModelIdentity, SideOutputs, SideResult } from './pipeline-steps/pipeline-step.ts';

type SettledSide = SideResult<SideOutputs>;

/**
 * What the log keeps of an answered request: its columns under the names that answers give them, `in.*`, `out.*` and
 * `out_<model>.*`, the results that are only logged included.
 */
export function toLogRecord(data: AnswerData, lastModel: ModelIdentity, sides: readonly SettledSide[]): LogRecord {
  const { rowCount } = data.batch;
  return {
    timeMs: data.timeMs,
    rowCount,
    columns: [
      ...data.batch.columns.map((column) => named('in', column)),
      ...data.outputs.map((column) => named('out', column)),
      ...sides.flatMap(({ name, outputs }) => (outputs ?? none).map((column) => named(sideGroup(name), column))),
    ],
    checkFailures: failuresByRow(data, rowCount),
    lastModel,
    elapsedNs: data.metadata.elapsed,
    dropped: droppedSides(sides),
  };
}

const none: readonly never[] = [];

/** Groups of the results that came too late or not at all. */
export function droppedSides(sides: readonly SettledSide[]): readonly string[] {
  if (sides.length === 0) return none;
  return sides.filter(({ outputs }) => outputs === null).map(({ name }) => sideGroup(name));
}

function named(group: string, column: Column): Column {
  const { type, rowShape, values, offsets } = column;
  const name = `${group}.${column.name}`;
  return offsets === undefined ? { name, type, rowShape, values } : { name, type, rowShape, values, offsets };
}

function failuresByRow({ checks }: AnswerData, rowCount: number): string[][] | null {
  if (!checks.some((check) => check.failures.includes(1))) return null;
  return Array.from({ length: rowCount }, (_, row) => failedChecks(checks, row));
}
