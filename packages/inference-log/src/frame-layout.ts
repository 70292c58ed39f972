// Frames from a pod to its host: little-endian, each a multiple of 8 bytes long and starting with the same 8 bytes
//
//   0  u32  length of the whole frame in bytes
//   4  u32  kind
//
// schema  8 u32 schema number · 12 u32 length of the text · 16 the schema as JSON
// record  8 u32 schema number · 12 u32 rows · 16 f64 records before these · 24 f64 rows before these
//        32 f64 time (ms) · 40 u32 records · 44 u32 failure count
//        48 f64 ns spent on reading each request · then f64 ns in the models of each
//        then, where there are several and not all of one row, u32 rows of each, padded to 8 bytes
//        then failures, each u32 row and u32 check · then the columns in the schema's order, each part padded to 8 bytes:
//           a ragged column starts with its rows + 1 offsets (i32); then the values, or for utf8 the value count + 1
//           byte offsets (i32) followed by the bytes
// tally   8 f64 records so far · 16 f64 rows so far: closes the gap when a pod dropped records and then fell silent
// hello   8 u32 length of the text · 16 {"podId", "pipelineId"} as JSON: the first frame of every connection
// owed    8 f64 records that were answered and will follow · 16 f64 rows of them · 24 u32 pipeline id
//        28 u32 length of the pod's id · 32 the pod's id: what is still owed when the pod ends is lost
// spool   8 u32 length of the name · 16 the name of the shared memory that spooled frames lie in, until another is named
// spooled 8 f64 position of a record's columns in that memory · 16 u32 their length · 20 u32 zero
//        24 the record frame without its columns

export const frameKind = { schema: 1, record: 2, tally: 3, owed: 4, hello: 5, spool: 6, spooled: 7 } as const;

export const recordHeaderBytes = 48;
export const schemaHeaderBytes = 16;
/** Of frames that are a text: hello and spool. */
export const textHeaderBytes = 16;
export const spooledHeaderBytes = 24;
export const tallyBytes = 24;
export const owedHeaderBytes = 32;

/** A longer frame is not ours: the connection is closed. */
export const maxFrameBytes = 64 * 1024 * 1024;

/** Whether the frame says how many rows each of its records has. */
export function hasRowCounts(records: number, rows: number): boolean {
  return records > 1 && records !== rows;
}

export function padTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Values in one row of a column that is not ragged. */
export function valuesPerRow(rowShape: readonly number[]): number {
  let count = 1;
  for (const length of rowShape) count *= length;
  return count;
}
