import { modelVersionStatuses, platformVersion } from '@pademelon/contracts';
import {
  architectures,
  type Conversion,
  frameworks,
  type ModelConfig,
  type ModelVersion,
  pythonVersions,
} from '@pademelon/domain';
import { type Static, Type } from 'typebox';
import { runtimeWord } from '../../dialects/runtime-word.ts';

// The two shapes in which every models route answers: a version and a configuration, with the keys of both SDK
// generations side by side. The SDKs refuse unknown words, so what can be sent is spelled out here.

export const ConversionWire = Type.Object({
  framework: Type.Enum([...frameworks]),
  requirements: Type.Array(Type.String()),
  python_version: Type.Enum([...pythonVersions]),
  arch: Type.Enum([...architectures]),
  accel: Type.Literal('none'),
  framework_config: Type.Null(),
});

export const ModelConfigWire = Type.Object({
  id: Type.Integer(),
  model_version_id: Type.Integer(),
  runtime: Type.String(),
  tensor_fields: nullable(Type.Array(Type.String())),
  filter_threshold: nullable(Type.Number()),
  input_schema: nullable(Type.String()),
  output_schema: nullable(Type.String()),
  batch_config: nullable(Type.String()),
  dynamic_batching_config: nullable(
    Type.Object({
      max_batch_delay_ms: Type.Integer(),
      batch_size_target: Type.Integer(),
      batch_size_limit: nullable(Type.Integer()),
    }),
  ),
  continuous_batching_config: nullable(Type.Object({ max_concurrent_batch_size: Type.Integer() })),
  openai: nullable(Type.Record(Type.String(), Type.Unknown())),
  queue_depth: Type.Null(),
  sidekick_uri: Type.Null(),
});

/** What the 2023 SDK reads of a version. */
export const FlatModelVersionWire = Type.Object({
  id: Type.Integer(),
  model_id: Type.String({ description: "The model's name." }),
  model_version: Type.String({ description: 'UUID of this version.' }),
  models_pk_id: Type.Integer({ description: 'Id of the model.' }),
  sha: Type.String(),
  owner_id: Type.String(),
  file_name: Type.String(),
  image_path: nullable(Type.String()),
  status: Type.Enum([...modelVersionStatuses]),
  created_at: Type.String(),
  updated_at: Type.String(),
  visibility: Type.String(),
});

export const ModelVersionWire = Type.Object({
  ...FlatModelVersionWire.properties,
  name: Type.String(),
  workspace_id: Type.Integer(),
  conversion: ConversionWire,
  file_info: Type.Object({
    version: Type.String(),
    sha: Type.String(),
    file_name: Type.String(),
    size: Type.Integer(),
  }),
  task_id: Type.Null(),
  created_by: nullable(Type.String()),
  created_on_version: Type.String(),
  deployed: Type.Boolean(),
  error_summary: nullable(Type.String()),
});

export const VersionWithConfig = Type.Object({ model_version: ModelVersionWire, config: ModelConfigWire });

export function toFlatVersionWire(version: ModelVersion): Static<typeof FlatModelVersionWire> {
  return {
    id: version.id,
    model_id: version.modelName,
    model_version: version.version,
    models_pk_id: version.modelId,
    sha: version.sha,
    owner_id: version.createdById,
    file_name: version.fileName,
    image_path: version.imagePath,
    status: version.status,
    created_at: version.createdAt.toISOString(),
    updated_at: version.updatedAt.toISOString(),
    visibility: version.visibility,
  };
}

export function toVersionWire(version: ModelVersion): Static<typeof ModelVersionWire> {
  const { fileName: file_name, sizeBytes: size, sha } = version;
  return {
    ...toFlatVersionWire(version),
    name: version.modelName,
    workspace_id: version.workspaceId,
    conversion: toConversionWire(version.conversion),
    file_info: { version: version.version, sha, file_name, size },
    task_id: null,
    created_by: version.createdByEmail,
    created_on_version: platformVersion,
    deployed: version.isDeployed,
    error_summary: version.errorSummary,
  };
}

export function toConfigWire(config: ModelConfig): Static<typeof ModelConfigWire> {
  const { dynamicBatchingConfig: dynamic, continuousBatchingConfig: continuous } = config;
  return {
    id: config.id,
    model_version_id: config.modelVersionId,
    runtime: runtimeWord(config.runtime),
    tensor_fields: config.tensorFields && [...config.tensorFields],
    filter_threshold: config.filterThreshold,
    input_schema: config.inputSchema,
    output_schema: config.outputSchema,
    batch_config: config.batchConfig,
    dynamic_batching_config: dynamic && {
      max_batch_delay_ms: dynamic.maxBatchDelayMs,
      batch_size_target: dynamic.batchSizeTarget,
      batch_size_limit: dynamic.batchSizeLimit,
    },
    continuous_batching_config: continuous && { max_concurrent_batch_size: continuous.maxConcurrentBatchSize },
    openai: config.openai,
    queue_depth: null,
    sidekick_uri: null,
  };
}

function toConversionWire(conversion: Conversion): Static<typeof ConversionWire> {
  const { framework, requirements, pythonVersion, arch, accel } = conversion;
  return {
    framework,
    requirements: [...requirements],
    python_version: pythonVersion,
    arch,
    accel,
    framework_config: null,
  };
}

function nullable<T extends Parameters<typeof Type.Union>[0][number]>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}
