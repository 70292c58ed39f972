import type { ModelVersionStatus } from '@pademelon/contracts';
import type { Conversion } from './conversion.ts';
import type { ModelSignature } from './model-signature.ts';

/** A named family of model versions in a workspace. */
export interface Model {
  readonly id: number;
  readonly workspaceId: number;
  readonly workspaceName: string;
  readonly name: string;
  readonly ownerId: string;
  readonly createdAt: Date;
  /** When the newest version came. */
  readonly updatedAt: Date;
}

export type Visibility = 'private' | 'public';

/** One uploaded file. Its content never changes. */
export interface ModelVersion {
  readonly id: number;
  readonly modelId: number;
  readonly modelName: string;
  readonly workspaceId: number;
  readonly workspaceName: string;
  /** UUID. */
  readonly version: string;
  /** Name of the file in the artifact store. */
  readonly sha: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly status: ModelVersionStatus;
  readonly errorSummary: string | null;
  readonly visibility: Visibility;
  readonly conversion: Conversion;
  readonly imagePath: string | null;
  /** Arrow schemas in base64, as the uploader sent them. */
  readonly inputSchema: string | null;
  readonly outputSchema: string | null;
  readonly signature: ModelSignature | null;
  /** Whether a deployment that is wanted serves it. */
  readonly isDeployed: boolean;
  readonly createdById: string;
  /** Null when that user is no more. */
  readonly createdByEmail: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** How a version is to be run. Never changed: each configure call adds one, and the newest counts. */
export interface ModelConfig extends ModelConfigSettings {
  readonly id: number;
  readonly modelVersionId: number;
  readonly runtime: string;
  readonly createdAt: Date;
}

/** What a configure call may say; what it leaves out is null. */
export interface ModelConfigSettings {
  /** The columns that are fed to the model's inputs, in their order. */
  readonly tensorFields: readonly string[] | null;
  readonly filterThreshold: number | null;
  readonly inputSchema: string | null;
  readonly outputSchema: string | null;
  readonly batchConfig: string | null;
  readonly dynamicBatchingConfig: DynamicBatchingConfig | null;
  readonly continuousBatchingConfig: { readonly maxConcurrentBatchSize: number } | null;
  /** Options of OpenAI-like models, passed through unchanged. */
  readonly openai: { readonly [key: string]: unknown } | null;
}

export interface DynamicBatchingConfig {
  readonly maxBatchDelayMs: number;
  readonly batchSizeTarget: number;
  readonly batchSizeLimit: number | null;
}

/** Conditions that all must hold, the times inclusive; an absent one holds for every version. */
export interface ModelVersionFilter {
  /** Part of the model's name or of a tag on it, in any case, or the version's UUID; '' finds all. */
  readonly term?: string;
  /** The model's whole name. */
  readonly name?: string;
  /** UUID. */
  readonly version?: string;
  readonly ownerId?: string;
  readonly workspaceId?: number;
  readonly workspaceName?: string;
  readonly createdFrom?: Date;
  readonly createdTo?: Date;
}
