import type { ColumnType } from './column.ts';

/*
 * The Open Inference Protocol V2 over REST (github.com/kserve/open-inference-protocol, specification/protocol) with the
 * binary tensor extension (triton-inference-server, docs/protocol/extension_binary_data.md). A deployed pipeline is a
 * model of the protocol, its pipeline versions are the model's versions.
 */

/** Bytes of the JSON that a body begins with; binary tensors follow. Absent when the body is JSON alone. */
export const jsonLengthHeader = 'inference-header-content-length';

/** The protocol's name of each element type. FP16 and BF16 have no column type: they are refused. */
export const openDatatypes: Readonly<Record<ColumnType, string>> = {
  float32: 'FP32',
  float64: 'FP64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  bool: 'BOOL',
  utf8: 'BYTES',
};

/** A path below `/v2/models/`, its parts percent-decoded. */
export interface OpenModelPath {
  /** `<pipeline>` or `<workspace>.<pipeline>`. */
  readonly name: string;
  readonly version: string | null;
  /** What follows: `infer`, `ready`, `config`, …; empty for the model's metadata. */
  readonly action: string;
}

/** Null for what is not below `/v2/models/`, or cannot be decoded. `path` has no query. */
export function readOpenModelPath(path: string): OpenModelPath | null {
  const match = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/([^/]+))?$/.exec(path);
  if (match === null) return null;
  const [, name, version, action = ''] = match;
  try {
    return {
      name: decodeURIComponent(name!),
      version: version === undefined ? null : decodeURIComponent(version),
      action,
    };
  } catch {
    return null;
  }
}

/** Whether a path, without its query, belongs to the protocol; `/v2/api` is the platform's own. */
export function isOpenInferencePath(path: string): boolean {
  return /^\/v2(\/|$)/.test(path) && !/^\/v2\/api(\/|$)/.test(path);
}

/** The body of every error of the protocol. */
export function openErrorBody(message: string): string {
  return JSON.stringify({ error: message });
}
