import type { LogColumn, LogTable } from '@pademelon/domain';
import { type Data, Field, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct } from 'apache-arrow';
import { toArrowData } from './arrow-columns.ts';

export interface ArrowFileOptions {
  /** Joins group and field to one name; null for groups as struct columns. */
  readonly separator: string | null;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The table as an Arrow IPC file of one record batch, lists of variable length, nothing null. */
export function toArrowFile(table: LogTable, { separator, metadata }: ArrowFileOptions): Uint8Array {
  const leaf = (name: string, column: LogColumn): NamedData => ({
    name,
    data: toArrowData(column, table.rowCount, 'variable'),
  });
  const children =
    separator === null
      ? groupColumns(table.columns).map((group) =>
          group.field === undefined
            ? structOf(
                group.name,
                group.columns.map(([field, column]) => leaf(field, column)),
                table.rowCount,
              )
            : leaf(group.name, group.field),
        )
      : table.columns.map((column) => leaf(joinName(column.name, separator), column));
  const root = structOf('', children, table.rowCount).data as Data<Struct>;
  const schema = new Schema(root.type.children, new Map(metadata));
  return RecordBatchFileWriter.writeAll([new RecordBatch(schema, root)]).toUint8Array(true);
}

interface NamedData {
  readonly name: string;
  readonly data: Data;
}

/** Columns that are nested under one name, or one that stands for itself (`time`, `check_failures`). */
export type ColumnGroup =
  | { readonly name: string; readonly field: LogColumn; readonly columns?: never }
  | { readonly name: string; readonly field?: never; readonly columns: [string, LogColumn][] };

/** Columns by their group, the part of the name before the first dot, in the order of first appearance. */
export function groupColumns(columns: readonly LogColumn[]): ColumnGroup[] {
  const groups = new Map<string, ColumnGroup>();
  for (const column of columns) {
    const dot = column.name.indexOf('.');
    if (dot < 0) {
      groups.set(column.name, { name: column.name, field: column });
      continue;
    }
    const name = column.name.slice(0, dot);
    const group = groups.get(name);
    const entry: [string, LogColumn] = [column.name.slice(dot + 1), column];
    if (group?.columns === undefined) groups.set(name, { name, columns: [entry] });
    else group.columns.push(entry);
  }
  return [...groups.values()];
}

/** `in.tensor` with the caller's separator between group and field; names without a group stay. */
export function joinName(name: string, separator: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? name : `${name.slice(0, dot)}${separator}${name.slice(dot + 1)}`;
}

function structOf(name: string, children: readonly NamedData[], length: number): NamedData {
  const fields = children.map((child) => new Field(child.name, child.data.type, true));
  const type = new Struct(fields);
  return { name, data: makeData({ type, length, nullCount: 0, children: children.map(({ data }) => data) }) };
}
