// Frames from a pod to its host: little-endian, each a multiple of 8 bytes long and starting with the same 8 bytes
//
//   0  u32  length of the whole frame in bytes
//   4  u32  kind
//
// schema  8 u32 schema number · 12 u32 length of the text · 16 the schema as JSON
// record  8 u32 schema number · 12 u32 rows · 16 f64 records before this one · 24 f64 rows before this one
//        32 f64 time (ms) · 40, 48 f64 elapsed (ns) · 56 u32 failure count · 60 u32 zero
//        64 failures, each u32 row and u32 check · then the columns in the schema's order, each part padded to 8 bytes:
//           a ragged column starts with its rows + 1 offsets (i32); then the values, or for utf8 the value count + 1
//           byte offsets (i32) followed by the bytes
// tally   8 f64 records so far · 16 f64 rows so far: closes the gap when a pod dropped records and then fell silent
// hello   8 u32 length of the text · 16 {"podId", "pipelineId"} as JSON: the first frame of every connection
// owed    8 f64 records that were answered and will follow · 16 f64 rows of them · 24 u32 pipeline id
//        28 u32 length of the pod's id · 32 the pod's id: what is still owed when the pod ends is lost

export const frameKind = { schema: 1, record: 2, tally: 3, owed: 4, hello: 5 } as const;

export const recordHeaderBytes = 64;
export const schemaHeaderBytes = 16;
export const helloHeaderBytes = 16;
export const tallyBytes = 24;
export const owedHeaderBytes = 32;

/** A longer frame is not ours: the connection is closed. */
export const maxFrameBytes = 64 * 1024 * 1024;

export const valueBytes = {
  float32: 4,
  float64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
} as const;

export function padTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Values in one row of a column that is not ragged. */
export function valuesPerRow(rowShape: readonly number[]): number {
  let count = 1;
  for (const length of rowShape) count *= length;
  return count;
}
