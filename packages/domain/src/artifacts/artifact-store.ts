import type { Readable } from 'node:stream';

/** A file that is called by the SHA-256 of its content, 64 lower-case hexadecimal digits. */
export interface Artifact {
  readonly sha: string;
  readonly sizeBytes: number;
}

/** A file that has arrived whole and is on disk, but that nobody can see yet. It ends in exactly one of two ways. */
export interface StagedArtifact extends Artifact {
  /** Absolute path for inspection, until it is committed or discarded. */
  readonly path: string;
  /** Makes it visible, durably. Harmless when the same content was there before. */
  commit(): Promise<void>;
  /** Leaves no trace of it. Harmless after a commit. */
  discard(): Promise<void>;
}

/**
 * Files by content: models, zips, environments. What is visible is whole and survives a crash; what was cut off leaves
 * nothing visible.
 */
export interface ArtifactStore {
  /**
   * Takes in a stream. Throws `too_large` beyond the limit and `unavailable` when there is no room; any error of the
   * stream itself climbs untouched. Nothing is left behind in either case.
   */
  stage(content: AsyncIterable<Uint8Array>, options: { limitBytes: number }): Promise<StagedArtifact>;
  /** `stage` and `commit` at once. */
  put(content: AsyncIterable<Uint8Array>, options: { limitBytes: number }): Promise<Artifact>;
  /** The content, or null when there is no such artifact. Destroy the stream if it is not read to its end. */
  open(sha: string): Promise<{ readonly content: Readable; readonly sizeBytes: number } | null>;
}

const shaPattern = /^[0-9a-f]{64}$/;

/** Whether the text can name an artifact; everything else never reaches a file system. */
export function isSha(text: string): boolean {
  return shaPattern.test(text);
}
