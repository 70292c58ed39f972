import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Artifact, type ArtifactStore, DomainError, isSha, type StagedArtifact } from '@pademelon/domain';
import { syncFolder } from './sync-folder.ts';

/** A file in `incoming` that was not written to for this long belongs to an upload that was cut off. */
const abandonedAfterMs = 60 * 60 * 1000;

/**
 * Artifacts in a folder: `<first two digits>/<sha>`, readable by the platform's own user only. Files arrive in
 * `incoming` and are renamed when they are whole and flushed, so several processes may share the folder and each may be
 * killed at any moment.
 */
export class LocalArtifactStore implements ArtifactStore {
  readonly #folder: string;
  readonly #incoming: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#incoming = join(folder, 'incoming');
  }

  async stage(content: AsyncIterable<Uint8Array>, options: { limitBytes: number }): Promise<StagedArtifact> {
    await mkdir(this.#incoming, { recursive: true, mode: 0o700 });
    const path = join(this.#incoming, randomUUID());
    try {
      const artifact = await writeWhole(path, content, options.limitBytes);
      return {
        ...artifact,
        path,
        commit: () => this.#publish(path, artifact.sha),
        discard: () => rm(path, { force: true }),
      };
    } catch (error) {
      await rm(path, { force: true });
      throw translateNoRoom(error);
    }
  }

  async put(content: AsyncIterable<Uint8Array>, options: { limitBytes: number }): Promise<Artifact> {
    const { sha, sizeBytes, commit } = await this.stage(content, options);
    await commit();
    return { sha, sizeBytes };
  }

  /**
   * Takes in content that must have this SHA-256, as when another process's copy is fetched; resolves to its path.
   * Throws `unavailable` when it is different.
   */
  async receive(sha: string, content: AsyncIterable<Uint8Array>): Promise<string> {
    const staged = await this.stage(content, { limitBytes: Number.POSITIVE_INFINITY });
    if (staged.sha !== sha) {
      await staged.discard();
      throw new DomainError('unavailable', `The content that arrived for artifact ${sha} is a different one.`);
    }
    await staged.commit();
    return this.#path(sha);
  }

  /** Absolute path of the file, or null when it is not in this folder. */
  async find(sha: string): Promise<string | null> {
    if (!isSha(sha)) return null;
    const path = this.#path(sha);
    return (await isFile(path)) ? path : null;
  }

  async open(sha: string): ReturnType<ArtifactStore['open']> {
    if (!isSha(sha)) return null;
    let file: FileHandle;
    try {
      file = await open(this.#path(sha), 'r');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    }
    const { size } = await file.stat();
    return { content: file.createReadStream({ highWaterMark: 256 * 1024 }), sizeBytes: size };
  }

  /** Removes what cut-off uploads left behind; resolves to how many files that were. */
  async sweep(now: number): Promise<number> {
    const names = await readdir(this.#incoming).catch(() => []);
    let removed = 0;
    for (const name of names) {
      const path = join(this.#incoming, name);
      // Another process may have renamed or swept it in the meantime.
      const written = await stat(path).catch(() => null);
      if (written === null || now - written.mtimeMs < abandonedAfterMs) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }

  async #publish(path: string, sha: string): Promise<void> {
    const shard = join(this.#folder, sha.slice(0, 2));
    const isNewShard = (await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined;
    await rename(path, this.#path(sha));
    await syncFolder(shard);
    if (isNewShard) await syncFolder(this.#folder);
  }

  #path(sha: string): string {
    return join(this.#folder, sha.slice(0, 2), sha);
  }
}

/** Writes the stream to a new file and flushes it to the disk. */
async function writeWhole(path: string, content: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Artifact> {
  const file = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of content) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) {
        throw new DomainError('too_large', `The file is larger than the ${limitBytes} bytes that are allowed.`);
      }
      hash.update(chunk);
      await writeFully(file, chunk);
    }
    await file.sync();
    return { sha: hash.digest('hex'), sizeBytes };
  } finally {
    await file.close();
  }
}

/** One write may take only part of a chunk, as when the disk is nearly full. */
async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < chunk.length) {
    offset += (await file.write(chunk, offset, chunk.length - offset)).bytesWritten;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function translateNoRoom(error: unknown): unknown {
  if (!hasCode(error, 'ENOSPC') && !hasCode(error, 'EDQUOT')) return error;
  return new DomainError('unavailable', 'The server has no room left for the file; its operator has to make some.', {
    cause: error,
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
