import { openDatatypes } from '@pademelon/contracts';
import type { ServedTensor } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ModelParams, modelPaths } from './model-params.ts';

const Tensor = Type.Object({ name: Type.String(), datatype: Type.String(), shape: Type.Array(Type.Integer()) });
const Reply = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String()),
  platform: Type.String(),
  inputs: Type.Array(Tensor),
  outputs: Type.Array(Tensor),
});

/** `platform` is what the protocol calls the kind of a model; ours are pipelines of any models. */
export const platformWord = 'pademelon_pipeline';

export function getModel(app: Api, { openInference }: Services): void {
  for (const path of modelPaths('')) {
    app.get(
      path,
      {
        schema: {
          summary: 'Metadata of a deployed pipeline (Open Inference Protocol)',
          tags: ['open inference'],
          params: ModelParams,
          response: { 200: Reply },
        },
      },
      async ({ caller, params }) => {
        const model = await openInference.describe(caller, params.model, params.version ?? null);
        return {
          name: model.name,
          versions: [model.version],
          platform: platformWord,
          inputs: model.inputs.map(toWire),
          outputs: model.outputs.map(toWire),
        };
      },
    );
  }
}

function toWire({ name, type, shape }: ServedTensor) {
  return { name, datatype: openDatatypes[type], shape: [...shape] };
}
