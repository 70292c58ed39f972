import type { Readable } from 'node:stream';
import { notFound } from '../domain-error.ts';
import type { ArtifactStore } from './artifact-store.ts';

/** Artifacts for the platform's own processes. It does not ask who is calling: its callers are no users. */
export class ArtifactService {
  readonly #store: ArtifactStore;

  constructor(store: ArtifactStore) {
    this.#store = store;
  }

  /** Throws `not_found`. Destroy the content if it is not read to its end. */
  async open(sha: string): Promise<{ readonly content: Readable; readonly sizeBytes: number }> {
    const artifact = await this.#store.open(sha);
    if (artifact === null) throw notFound('artifact', sha.slice(0, 64));
    return artifact;
  }
}
