import type { FetchedArtifacts } from '@pademelon/artifacts';
import { DomainError, type ModelInspector } from '@pademelon/domain';

/**
 * Model files that were judged on this host before any pod loads them: what the API let in may be older than the rules
 * of today, and a host trusts no other machine's word for what is on its own disk.
 */
export class InspectedModelFiles {
  readonly #files: Pick<FetchedArtifacts, 'provide'>;
  readonly #inspector: ModelInspector;
  /** A file of this name never changes, so one look is enough. */
  readonly #accepted = new Set<string>();

  constructor(files: Pick<FetchedArtifacts, 'provide'>, inspector: ModelInspector) {
    this.#files = files;
    this.#inspector = inspector;
  }

  /** Absolute path of the file with this SHA-256. Throws `unavailable`, and `model_rejected` with the reason. */
  async provide(sha: string): Promise<string> {
    const path = await this.#files.provide(sha);
    if (this.#accepted.has(sha)) return path;
    const verdict = await this.#inspector.inspect(path);
    if (!verdict.isAccepted) throw new DomainError('model_rejected', verdict.reason);
    this.#accepted.add(sha);
    return path;
  }
}
