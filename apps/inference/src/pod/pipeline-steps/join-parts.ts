import type { Column } from '@pademelon/contracts';
import type { CheckResult, Flow } from './pipeline-step.ts';

/** The rows of the request again, each with the values of all its parts one after the other. */
export function joinParts(flow: Flow, partsPerRow: number): Flow {
  const { checks, splitMarks = [] } = flow;
  return {
    ...withoutParts(flow),
    rowCount: flow.rowCount / partsPerRow,
    columns: flow.columns.map((column) => joinColumn(column, partsPerRow)),
    checks: checks.map((check) => joinCheck(check, flow.rowCount, partsPerRow)),
    splitMarks: splitMarks.map((marks) => (marks.length === flow.rowCount ? firstOfParts(marks, partsPerRow) : marks)),
  };
}

export function withoutParts({ partsPerRow: _, ...flow }: Flow): Flow {
  return flow;
}

/** Parts lie beside each other already: only the shape of a row changes. */
function joinColumn({ name, type, rowShape, values }: Column, partsPerRow: number): Column {
  const [width = 1, ...inner] = rowShape;
  return { name, type, rowShape: inner.length === 0 ? [partsPerRow * width] : [partsPerRow, ...rowShape], values };
}

/** A row fails a check when one of its parts does. Checks that ran on whole rows stay as they are. */
function joinCheck(check: CheckResult, partCount: number, partsPerRow: number): CheckResult {
  if (check.failures.length !== partCount) return check;
  const failures = new Uint8Array(partCount / partsPerRow);
  check.failures.forEach((failed, part) => {
    if (failed === 1) failures[Math.floor(part / partsPerRow)] = 1;
  });
  return { ...check, failures };
}

function firstOfParts(marks: readonly string[], partsPerRow: number): string[] {
  return marks.filter((_, part) => part % partsPerRow === 0);
}
