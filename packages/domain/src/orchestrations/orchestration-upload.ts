import { randomUUID } from 'node:crypto';
import type { ArtifactStore, StagedArtifact } from '../artifacts/artifact-store.ts';
import type { Caller } from '../caller.ts';
import { DomainError } from '../domain-error.ts';
import { isStorableText } from '../plain-json.ts';
import type { Doorbell } from '../runs/doorbell.ts';
import type { WorkspaceService } from '../workspaces/workspace-service.ts';
import type { ArchiveInspector } from './archive-inspector.ts';
import type { OrchestrationStore } from './orchestration-store.ts';

export interface OrchestrationDetails {
  readonly workspaceId: number;
  readonly name: string | null;
}

export interface OrchestrationUploadOptions {
  readonly store: OrchestrationStore;
  readonly workspaces: WorkspaceService;
  readonly artifacts: ArtifactStore;
  readonly inspector: ArchiveInspector;
  readonly doorbell: Doorbell;
  readonly maxArchiveBytes: number;
}

const maxLabelLength = 255;

/** Uploads of orchestrations. What is answered with success is durable; what fails leaves nothing that anyone can see. */
export class OrchestrationUpload {
  readonly #options: OrchestrationUploadOptions;

  constructor(options: OrchestrationUploadOptions) {
    this.#options = options;
  }

  get maxArchiveBytes(): number {
    return this.#options.maxArchiveBytes;
  }

  /** Whether the upload can succeed, as far as the details tell. Throws `not_found` and `invalid_input`. */
  async requireWelcome(caller: Caller, { workspaceId, name }: OrchestrationDetails): Promise<void> {
    if (name !== null && (name.length > maxLabelLength || !isStorableText(name))) {
      throw new DomainError('invalid_input', `The name of an orchestration has at most ${maxLabelLength} characters.`);
    }
    await this.#options.workspaces.get(caller, workspaceId);
  }

  /** Takes in the zip. Whoever calls it must end with `store` or discard what it gives. */
  async stage(content: AsyncIterable<Uint8Array>): Promise<StagedArtifact> {
    return this.#options.artifacts.stage(content, { limitBytes: this.#options.maxArchiveBytes });
  }

  /** Makes an orchestration of the staged zip and tells the packagers; resolves to its id. The staged file is spent. */
  async store(
    caller: Caller,
    details: OrchestrationDetails,
    file: { fileName: string; staged: StagedArtifact },
  ): Promise<string> {
    const { store, inspector, doorbell } = this.#options;
    const { staged } = file;
    try {
      await this.requireWelcome(caller, details);
      await inspector.inspect(staged.path);
      await staged.commit();
      const id = randomUUID();
      await store.add({
        id,
        workspaceId: details.workspaceId,
        name: details.name,
        fileName: toLabel(file.fileName),
        sha: staged.sha,
        sizeBytes: staged.sizeBytes,
        createdById: caller.userId,
      });
      await doorbell.ring('orchestration', id);
      return id;
    } finally {
      await staged.discard();
    }
  }
}

/** The name is shown and nothing else: whatever it holds, its last part without control characters is kept. */
function toLabel(fileName: string): string {
  const last = fileName.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  return (
    last
      .replaceAll(/\p{Cc}/gu, '')
      .slice(0, maxLabelLength)
      .toWellFormed() || '_'
  );
}
