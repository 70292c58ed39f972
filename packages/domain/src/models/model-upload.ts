import type { ArtifactStore, StagedArtifact } from '../artifacts/artifact-store.ts';
import type { Caller } from '../caller.ts';
import { DomainError } from '../domain-error.ts';
import { isStorableText } from '../plain-json.ts';
import type { WorkspaceService } from '../workspaces/workspace-service.ts';
import { isScriptName, requireFittingName, requireSupportedConversion, type SentConversion } from './conversion.ts';
import type { ModelVersion, Visibility } from './model.ts';
import { requireModelName } from './model-name.ts';
import type { ModelInspector, ScriptInspector } from './model-signature.ts';
import type { ModelStore, NewModelVersion } from './model-store.ts';

/** What is said about a file that is uploaded as a model. */
export interface ModelDetails {
  readonly name: string;
  readonly workspaceId: number;
  readonly visibility: Visibility;
  readonly conversion: SentConversion;
  readonly inputSchema?: string | null | undefined;
  readonly outputSchema?: string | null | undefined;
}

export interface ModelUploadOptions {
  readonly store: ModelStore;
  readonly workspaces: WorkspaceService;
  readonly artifacts: ArtifactStore;
  readonly inspector: ModelInspector;
  readonly scriptInspector: ScriptInspector;
  readonly maxModelBytes: number;
  /** Of a script, or the zip in which it comes. */
  readonly maxScriptBytes: number;
}

const maxFileNameLength = 255;

/**
 * Uploads of models, in an order that the wires dictate: details and file may come one before the other. What is
 * answered with success is durable; what fails at any point leaves nothing that anyone can see.
 */
export class ModelUpload {
  readonly #options: ModelUploadOptions;

  constructor(options: ModelUploadOptions) {
    this.#options = options;
  }

  /**
   * Whether this upload can succeed, as far as it can be told without the file: ask before taking in 2 GB. Throws
   * `invalid_input` (name), `unsupported` (framework, accelerator) and `not_found` (workspace).
   */
  async requireWelcome(caller: Caller, details: ModelDetails): Promise<void> {
    requireModelName(details.name);
    requireSupportedConversion(details.conversion);
    if (![details.inputSchema ?? '', details.outputSchema ?? ''].every(isStorableText)) {
      throw new DomainError('invalid_input', 'The input or output schema holds a character that cannot be stored.');
    }
    await this.#options.workspaces.get(caller, details.workspaceId);
  }

  /** Takes in the file. Whoever calls it must end with `store` or discard what it gives. */
  async stage(fileName: string, content: AsyncIterable<Uint8Array>): Promise<StagedArtifact> {
    requireFileName(fileName);
    const { artifacts, maxModelBytes, maxScriptBytes } = this.#options;
    return artifacts.stage(content, { limitBytes: isScriptName(fileName) ? maxScriptBytes : maxModelBytes });
  }

  /**
   * Makes a model version of the staged file with a first configuration: an ONNX model is ready, a script has yet to be
   * packaged. Throws `model_rejected` with the reason when the file cannot be run here. The staged file is spent either
   * way.
   */
  async store(
    caller: Caller,
    details: ModelDetails,
    file: { fileName: string; staged: StagedArtifact },
  ): Promise<ModelVersion> {
    const { staged, fileName } = file;
    try {
      await this.requireWelcome(caller, details);
      const conversion = requireSupportedConversion(details.conversion);
      requireFittingName(fileName, conversion.framework);
      const judged =
        conversion.framework === 'onnx'
          ? await this.#judgeModel(staged)
          : await this.#judgeScript(file, conversion.requirements);
      await staged.commit();
      return await this.#options.store.addVersion({
        workspaceId: details.workspaceId,
        name: details.name,
        createdById: caller.userId,
        sha: staged.sha,
        sizeBytes: staged.sizeBytes,
        fileName,
        visibility: details.visibility,
        conversion,
        inputSchema: details.inputSchema ?? null,
        outputSchema: details.outputSchema ?? null,
        runtime: conversion.framework,
        ...judged,
      });
    } finally {
      await staged.discard();
    }
  }

  async #judgeModel(staged: StagedArtifact): Promise<Pick<NewModelVersion, 'status' | 'signature'>> {
    const verdict = await this.#options.inspector.inspect(staged.path);
    if (!verdict.isAccepted) throw new DomainError('model_rejected', verdict.reason);
    return { status: 'ready', signature: verdict.inspection.signature };
  }

  async #judgeScript(
    { fileName, staged }: { fileName: string; staged: StagedArtifact },
    requirements: readonly string[],
  ): Promise<Pick<NewModelVersion, 'status' | 'signature'>> {
    await this.#options.scriptInspector.inspect(staged.path, fileName, requirements);
    return { status: 'pending_load_native', signature: null };
  }
}

/** The name is a label only: on disk a file is called by its content. */
function requireFileName(fileName: string): void {
  if (fileName.length > maxFileNameLength || !isStorableText(fileName)) {
    throw new DomainError(
      'invalid_input',
      `The file name must have at most ${maxFileNameLength} printable characters.`,
    );
  }
  if (!isScriptName(fileName)) requireFittingName(fileName, 'onnx');
}
