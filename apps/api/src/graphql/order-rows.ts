type Direction = 'asc' | 'desc';
export type OrderBy = readonly { readonly [column: string]: Direction | null }[] | null | undefined;

/** Sorts by the columns of an `order_by` argument; without one the rows stay as they came. */
export function orderRows<Row>(
  rows: readonly Row[],
  orderBy: OrderBy,
  columns: { readonly [column: string]: (row: Row) => number | Date },
): readonly Row[] {
  const keys = (orderBy ?? []).flatMap((order) => Object.entries(order));
  if (keys.length === 0) return rows;
  return rows.toSorted((left, right) => {
    for (const [column, direction] of keys) {
      const read = columns[column];
      const difference = read === undefined ? 0 : Number(read(left)) - Number(read(right));
      if (difference !== 0) return direction === 'desc' ? -difference : difference;
    }
    return 0;
  });
}
