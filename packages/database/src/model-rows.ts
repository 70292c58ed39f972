import type { ModelVersionStatus } from '@pademelon/contracts';
import type {
  Conversion,
  DynamicBatchingConfig,
  Model,
  ModelConfig,
  ModelSignature,
  ModelVersion,
  Visibility,
} from '@pademelon/domain';
import { Prisma } from './generated/client.ts';

// How the rows of models read as what the domain knows.

export const modelInclude = { workspace: { select: { name: true } } } as const;

export const versionInclude = {
  model: { select: { name: true, workspaceId: true, workspace: { select: { name: true } } } },
  // One configuration that a wanted deployment uses is enough to know that the version is deployed.
  configs: { where: { deployments: { some: { deployment: { isDeployed: true } } } }, select: { id: true }, take: 1 },
} as const;

type ModelRow = Prisma.ModelGetPayload<{ include: typeof modelInclude }>;
export type VersionRow = Prisma.ModelVersionGetPayload<{ include: typeof versionInclude }>;
type ConfigRow = Prisma.ModelConfigGetPayload<object>;

export function toModel({ workspace, ...row }: ModelRow): Model {
  return { ...row, workspaceName: workspace.name };
}

/** `emails` are those of the users who made versions, by user id. */
export function toVersion({ model, configs, ...row }: VersionRow, emails: ReadonlyMap<string, string>): ModelVersion {
  return {
    ...row,
    modelName: model.name,
    workspaceId: model.workspaceId,
    workspaceName: model.workspace.name,
    sizeBytes: Number(row.sizeBytes),
    status: row.status as ModelVersionStatus,
    visibility: row.visibility as Visibility,
    conversion: row.conversion as unknown as Conversion,
    signature: row.signature as unknown as ModelSignature | null,
    isDeployed: configs.length > 0,
    createdByEmail: emails.get(row.createdById) ?? null,
  };
}

export function toConfig(row: ConfigRow): ModelConfig {
  const continuous = row.continuousBatchingConfig as { max_concurrent_batch_size: number } | null;
  return {
    ...row,
    tensorFields: row.tensorFields as readonly string[] | null,
    dynamicBatchingConfig: toDynamicBatching(row.dynamicBatchingConfig),
    continuousBatchingConfig: continuous && { maxConcurrentBatchSize: continuous.max_concurrent_batch_size },
    openai: row.openai as { readonly [key: string]: unknown } | null,
  };
}

function toDynamicBatching(stored: Prisma.JsonValue): DynamicBatchingConfig | null {
  const batching = stored as {
    max_batch_delay_ms: number;
    batch_size_target: number;
    batch_size_limit: number | null;
  } | null;
  return (
    batching && {
      maxBatchDelayMs: batching.max_batch_delay_ms,
      batchSizeTarget: batching.batch_size_target,
      batchSizeLimit: batching.batch_size_limit,
    }
  );
}

/** Batching settings are stored with the keys that the SDKs send; inference hosts read them as they are. */
export function fromSettings(settings: Omit<ModelConfig, 'id' | 'modelVersionId' | 'runtime' | 'createdAt'>) {
  const { tensorFields, dynamicBatchingConfig: dynamic, continuousBatchingConfig: continuous, openai } = settings;
  return {
    ...settings,
    tensorFields: orDatabaseNull(tensorFields),
    dynamicBatchingConfig: orDatabaseNull(
      dynamic && {
        max_batch_delay_ms: dynamic.maxBatchDelayMs,
        batch_size_target: dynamic.batchSizeTarget,
        batch_size_limit: dynamic.batchSizeLimit,
      },
    ),
    continuousBatchingConfig: orDatabaseNull(
      continuous && { max_concurrent_batch_size: continuous.maxConcurrentBatchSize },
    ),
    openai: orDatabaseNull(openai),
  };
}

function orDatabaseNull(value: unknown): Prisma.InputJsonValue | typeof Prisma.DbNull {
  return value === null ? Prisma.DbNull : (value as Prisma.InputJsonValue);
}
