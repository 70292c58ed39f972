import { DomainError } from '@pademelon/domain';

/** The part of an artifact store that inference hosts and workers need: files on its own disk, by SHA-256. */
export interface LocalArtifacts {
  /** Absolute path of the file, or null when it is not here. */
  find(sha: string): Promise<string | null>;
  /** Stores a stream whose content must have this SHA-256; visible only when whole. Resolves to its path. */
  receive(sha: string, content: ReadableStream<Uint8Array>): Promise<string>;
}

export interface FetchedArtifactsOptions {
  readonly artifacts: LocalArtifacts;
  /** Base URL of the API inside the platform, without a trailing slash. */
  readonly apiUrl: string;
  /** Presented to the API's internal routes. */
  readonly internalKey: string;
  /** Longest pause between two pieces of a download. */
  readonly stallMs?: number;
}

/**
 * Artifacts on this machine's disk: those that are missing are downloaded from the API once, however many ask. A
 * process that shares the API's folder finds everything there.
 */
export class FetchedArtifacts {
  readonly #options: FetchedArtifactsOptions;
  readonly #downloads = new Map<string, Promise<string>>();

  constructor(options: FetchedArtifactsOptions) {
    this.#options = options;
  }

  /** Absolute path of the file with this SHA-256. Throws DomainError `unavailable` when it cannot be had now. */
  async provide(sha: string): Promise<string> {
    const path = await this.#options.artifacts.find(sha);
    if (path !== null) return path;
    let download = this.#downloads.get(sha);
    if (download === undefined) {
      download = this.#download(sha).finally(() => this.#downloads.delete(sha));
      this.#downloads.set(sha, download);
    }
    return download;
  }

  async #download(sha: string): Promise<string> {
    const { apiUrl, internalKey, artifacts, stallMs = 30_000 } = this.#options;
    const stall = new AbortController();
    const timer = setTimeout(() => stall.abort(), stallMs);
    try {
      const response = await fetch(`${apiUrl}/internal/artifacts/${sha}`, {
        headers: { authorization: `Bearer ${internalKey}` },
        redirect: 'error',
        signal: stall.signal,
      });
      if (!response.ok || response.body === null) {
        throw new DomainError('unavailable', `The API answered ${response.status} when asked for the file.`);
      }
      const progress = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          timer.refresh();
          controller.enqueue(chunk);
        },
      });
      return await artifacts.receive(sha, response.body.pipeThrough(progress));
    } catch (cause) {
      if (cause instanceof DomainError) throw cause;
      throw new DomainError('unavailable', 'The file could not be fetched from the API.', { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}
