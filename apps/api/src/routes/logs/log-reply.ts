import type { SdkGeneration } from '@pademelon/contracts';
import { includesColumn, type LogDataset, type LogPage, type LogTable, tabulate } from '@pademelon/domain';
import { groupColumns, joinName, toArrowFile } from '@pademelon/inference-log';
import { jsonValues } from './json-values.ts';

export const arrowFileType = 'application/vnd.apache.arrow.file';

export interface LogView {
  readonly order: 'asc' | 'desc';
  readonly generation: SdkGeneration;
  readonly dataset: LogDataset;
}

/** Whether the caller asks for Arrow by its Accept header. */
export function acceptsArrow(accept: string | undefined): boolean {
  return accept?.includes(arrowFileType) ?? false;
}

export function viewPage(page: LogPage, { order, generation, dataset }: LogView): LogTable {
  return tabulate(page, { order, generation, includes: (name) => includesColumn(dataset, name) });
}

/** An Arrow file whose schema metadata says in `status` why the page ends and how to go on. */
export function arrowReply(page: LogPage, view: LogView): Buffer {
  const status = JSON.stringify({ status: page.status, next: page.next });
  const file = toArrowFile(viewPage(page, view), {
    separator: view.dataset.separator,
    metadata: new Map([['status', status]]),
  });
  return Buffer.from(file.buffer, file.byteOffset, file.byteLength);
}

/** Rows as JSON objects: flat names with a separator, objects in objects without one. */
export function jsonRecords(page: LogPage, view: LogView): Record<string, unknown>[] {
  const { columns, rowCount } = viewPage(page, view);
  const records: Record<string, unknown>[] = Array.from({ length: rowCount }, () => ({}));
  const { separator } = view.dataset;
  if (separator !== null) {
    for (const column of columns) assign(records, joinName(column.name, separator), jsonValues(column, rowCount));
    return records;
  }
  for (const { name, field, columns: members } of groupColumns(columns)) {
    if (members === undefined) {
      assign(records, name, jsonValues(field, rowCount));
      continue;
    }
    const objects: Record<string, unknown>[] = Array.from({ length: rowCount }, () => ({}));
    for (const [member, column] of members) assign(objects, member, jsonValues(column, rowCount));
    assign(records, name, objects);
  }
  return records;
}

/** Defines, since column names are the callers' own and may be `__proto__`. */
function assign(records: Record<string, unknown>[], name: string, values: readonly unknown[]): void {
  records.forEach((record, row) => {
    Object.defineProperty(record, name, { value: values[row], enumerable: true, configurable: true, writable: true });
  });
}
