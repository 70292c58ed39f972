import { isStrings, type LogColumn, type LogStrings, type LogValues } from './log-batch.ts';

/** Where the rows of a page are: which source each comes from, and which row of it. */
export interface RowPlaces {
  readonly source: Int32Array;
  readonly row: Int32Array;
}

/** A new column of the rows at the places. The sources are the same column of several batches. */
export function gatherColumn(sources: readonly LogColumn[], places: RowPlaces): LogColumn {
  const { name, type, rowShape, offsets } = sources[0]!;
  const ranges = valueRanges(sources, places);
  const values = gatherValues(
    sources.map((source) => source.values),
    places.source,
    ranges,
  );
  if (offsets === undefined) return { name, type, rowShape, values };
  const gathered = new Int32Array(places.row.length + 1);
  for (let i = 0; i < places.row.length; i++) gathered[i + 1] = gathered[i]! + ranges.to[i]! - ranges.from[i]!;
  return { name, type, rowShape, values, offsets: gathered };
}

interface Ranges {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

function valueRanges(sources: readonly LogColumn[], { source, row }: RowPlaces): Ranges {
  const from = new Int32Array(row.length);
  const to = new Int32Array(row.length);
  const stride = sources[0]!.rowShape.reduce((product, size) => product * size, 1);
  for (let i = 0; i < row.length; i++) {
    const offsets = sources[source[i]!]!.offsets;
    from[i] = offsets === undefined ? row[i]! * stride : offsets[row[i]!]!;
    to[i] = offsets === undefined ? from[i]! + stride : offsets[row[i]! + 1]!;
  }
  return { from, to };
}

function gatherValues(values: readonly LogValues[], source: Int32Array, ranges: Ranges): LogValues {
  return isStrings(values[0]!)
    ? gatherStrings(values as readonly LogStrings[], source, ranges)
    : gatherNumbers(values as readonly Float64Array[], source, ranges);
}

/** The arrays are all of one type; Float64Array stands for any of them. */
function gatherNumbers(values: readonly Float64Array[], source: Int32Array, { from, to }: Ranges): LogValues {
  let length = 0;
  for (let i = 0; i < from.length; i++) length += to[i]! - from[i]!;
  const gathered = new (values[0]!.constructor as Float64ArrayConstructor)(length);
  let at = 0;
  for (let i = 0; i < from.length; i++) {
    const array = values[source[i]!]!;
    for (let k = from[i]!; k < to[i]!; k++) gathered[at++] = array[k]!;
  }
  return gathered;
}

function gatherStrings(values: readonly LogStrings[], source: Int32Array, { from, to }: Ranges): LogStrings {
  let count = 0;
  let size = 0;
  for (let i = 0; i < from.length; i++) {
    const { byteOffsets } = values[source[i]!]!;
    count += to[i]! - from[i]!;
    size += byteOffsets[to[i]!]! - byteOffsets[from[i]!]!;
  }
  const byteOffsets = new Int32Array(count + 1);
  const bytes = new Uint8Array(size);
  let value = 0;
  let end = 0;
  for (let i = 0; i < from.length; i++) {
    const strings = values[source[i]!]!;
    const first = strings.byteOffsets[from[i]!]!;
    const last = strings.byteOffsets[to[i]!]!;
    bytes.set(strings.bytes.subarray(first, last), end);
    for (let k = from[i]! + 1; k <= to[i]!; k++) byteOffsets[++value] = end + strings.byteOffsets[k]! - first;
    end += last - first;
  }
  return { byteOffsets, bytes };
}
