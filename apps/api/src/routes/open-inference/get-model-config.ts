import { openDatatypes } from '@pademelon/contracts';
import type { ServedTensor } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { platformWord } from './get-model.ts';
import { ModelParams, modelPaths } from './model-params.ts';

const Tensor = Type.Object({ name: Type.String(), data_type: Type.String(), dims: Type.Array(Type.Integer()) });
const Reply = Type.Object({
  name: Type.String(),
  platform: Type.String(),
  max_batch_size: Type.Integer(),
  input: Type.Array(Tensor),
  output: Type.Array(Tensor),
});

/**
 * The part of Triton's model configuration (protobuf/model_config.proto) that pipelines have. A `max_batch_size` of 0
 * means that `dims` are whole shapes, their first dimension the number of rows.
 */
export function getModelConfig(app: Api, { openInference }: Services): void {
  for (const path of modelPaths('/config')) {
    app.get(
      path,
      {
        schema: {
          summary: 'Configuration of a deployed pipeline as Triton describes models',
          tags: ['open inference'],
          params: ModelParams,
          response: { 200: Reply },
        },
      },
      async ({ caller, params }) => {
        const model = await openInference.describe(caller, params.model, params.version ?? null);
        return {
          name: model.name,
          platform: platformWord,
          max_batch_size: 0,
          input: model.inputs.map(toWire),
          output: model.outputs.map(toWire),
        };
      },
    );
  }
}

function toWire({ name, type, shape }: ServedTensor) {
  const datatype = openDatatypes[type];
  return { name, data_type: `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`, dims: [...shape] };
}
