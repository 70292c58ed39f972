import type { ModelConfigSettings } from '@pademelon/domain';
import { type Static, Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { ModelConfigWire, toConfigWire } from './model-wire.ts';

const Milliseconds = Type.Integer({ minimum: 0, maximum: 60_000 });
const BatchSize = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const Body = Type.Object({
  model_version_id: Type.Integer(),
  tensor_fields: OrNull(Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { maxItems: 1000 })),
  filter_threshold: OrNull(Type.Number()),
  input_schema: OrNull(Type.String()),
  output_schema: OrNull(Type.String()),
  batch_config: OrNull(Type.Enum(['single', 'batch'])),
  dynamic_batching_config: OrNull(
    Type.Object({
      max_batch_delay_ms: Milliseconds,
      batch_size_target: BatchSize,
      batch_size_limit: OrNull(BatchSize),
    }),
  ),
  continuous_batching_config: OrNull(Type.Object({ max_concurrent_batch_size: BatchSize })),
  openai_config: OrNull(Type.Record(Type.String(), Type.Unknown())),
});
const Reply = Type.Object({ model_config: ModelConfigWire });

/** Each call adds a configuration, which counts from the next deploy on. */
export function insertModelConfig(app: Api, { models }: Services): void {
  app.post(
    '/v1/api/models/insert_model_config',
    { schema: { summary: 'Configure a model version', tags: ['models'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      const config = await models.configure(caller, body.model_version_id, toSettings(body));
      return { model_config: toConfigWire(config) };
    },
  );
}

function toSettings(body: Static<typeof Body>): Partial<ModelConfigSettings> {
  const { dynamic_batching_config: dynamic, continuous_batching_config: continuous } = body;
  return {
    tensorFields: body.tensor_fields ?? null,
    filterThreshold: body.filter_threshold ?? null,
    // A schema that is left out is the one that came with the upload.
    ...(body.input_schema == null ? {} : { inputSchema: body.input_schema }),
    ...(body.output_schema == null ? {} : { outputSchema: body.output_schema }),
    batchConfig: body.batch_config ?? null,
    dynamicBatchingConfig: dynamic
      ? {
          maxBatchDelayMs: dynamic.max_batch_delay_ms,
          batchSizeTarget: dynamic.batch_size_target,
          batchSizeLimit: dynamic.batch_size_limit ?? null,
        }
      : null,
    continuousBatchingConfig: continuous ? { maxConcurrentBatchSize: continuous.max_concurrent_batch_size } : null,
    openai: body.openai_config ?? null,
  };
}
