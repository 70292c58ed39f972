import { type EncodedLogBatch, failedRows, gatherRows, type LogBatch, schemaFingerprint } from '@pademelon/domain';
import { encodeArrowBatch } from './arrow-batch-codec.ts';
import { BatchMemory, type SpareBatchMemory } from './batch-memory.ts';
import { batchBytes, buildBatch } from './build-batch.ts';
import { type RecordFrame, releaseFrame } from './received-frames.ts';

/** The batch of frames of one group, ready to be stored. Uses the frames up, before it waits for anything. */
export async function encodeFrames(frames: readonly RecordFrame[], spare: SpareBatchMemory): Promise<EncodedLogBatch> {
  const memory = spare.take(batchBytes(frames));
  try {
    const batch = buildOnce(frames, memory);
    const failed = failedRows(batch);
    const { pipelineId, modelNames } = frames[0]!.schema;
    const facts = {
      pipelineId,
      rowCount: batch.rowCount,
      failureCount: failed.length,
      firstMs: Math.floor(batch.timesMs[0]!),
      lastMs: Math.floor(batch.timesMs[batch.rowCount - 1]!),
      modelNames,
      fingerprint: schemaFingerprint(batch),
      sequences: sequencesOf(frames),
    };
    const failedBytes = await encodeFailed(batch, failed);
    const bytes = await encodeArrowBatch(batch, memory);
    // A small batch is mostly what it says of its columns, which the failed rows would say once more.
    const isWorthIt = failedBytes !== null && failedBytes.length * 2 < bytes.length;
    return { ...facts, bytes, failedBytes: isWorthIt ? failedBytes : null };
  } finally {
    spare.giveBack(memory);
  }
}

function buildOnce(frames: readonly RecordFrame[], memory: BatchMemory): LogBatch {
  try {
    return buildBatch(frames, memory);
  } finally {
    for (const frame of frames) releaseFrame(frame);
  }
}

/** Of the failed rows alone, before the batch is used up; null where none or a good part of the rows are. */
async function encodeFailed(batch: LogBatch, failed: readonly number[]): Promise<Uint8Array | null> {
  if (failed.length === 0 || failed.length * 4 >= batch.rowCount) return null;
  return encodeArrowBatch(gatherRows(batch, failed), new BatchMemory(0));
}

/** Numbers of the first and the last record of each pod. */
function sequencesOf(frames: readonly RecordFrame[]): Record<string, [number, number]> {
  const sequences: Record<string, [number, number]> = {};
  for (const { schema, recordsBefore: first, recordCount } of frames) {
    const last = first + recordCount - 1;
    const range = sequences[schema.podId] ?? [first, last];
    sequences[schema.podId] = [Math.min(range[0], first), Math.max(range[1], last)];
  }
  return sequences;
}
