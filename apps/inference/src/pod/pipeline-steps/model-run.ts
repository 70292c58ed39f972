import type { Column } from '@pademelon/contracts';
import type { ModelReference } from '@pademelon/domain/pipeline-steps';
import { InputBinding, inputHints } from '../bind-inputs.ts';
import type { InputHints } from '../input-batch.ts';
import type { ModelRegistry } from '../model-registry.ts';
import type { Flow, ModelIdentity } from './pipeline-step.ts';

/** A model of this pod as steps use it. */
export interface ModelRun {
  readonly identity: ModelIdentity;
  readonly hints: InputHints;
  /** For each input the column names that reach it. */
  readonly inputNames: readonly (readonly string[])[];
  /** JSON text that names the model in the answers of a split: the keys that each SDK generation reads. */
  readonly splitText: string;
  outputs(rows: Pick<Flow, 'columns' | 'rowCount' | 'isChained'>): Column[];
  /** The flow with the model's outputs in place of its inputs. */
  run(flow: Flow): Flow;
}

/**
 * Throws a DomainError when the deployment lacks the model. `sharedNames`: the input names of a model that gets the same
 * data.
 */
export function modelRun(
  { name, version }: Pick<ModelReference, 'name' | 'version'>,
  registry: ModelRegistry,
  sharedNames?: readonly (readonly string[])[],
): ModelRun {
  const model = registry.find(name, version);
  const binding = new InputBinding(model, sharedNames);
  const identity = { name: model.name, version: model.version, sha: model.sha };
  const outputs: ModelRun['outputs'] = ({ columns, rowCount, isChained }) =>
    model.session.run(binding.bind(columns, rowCount, isChained), rowCount);
  return {
    identity,
    hints: inputHints(model),
    inputNames: binding.names,
    splitText: JSON.stringify({
      ...identity,
      model_version: {
        id: model.versionId,
        name,
        status: 'ready',
        file_info: { version: model.version, sha: model.sha },
      },
      config: { model_version_id: model.versionId, runtime: 'onnx', tensor_fields: model.tensorFields },
    }),
    outputs,
    run: (flow) => ({ ...flow, columns: outputs(flow), isChained: true, lastModel: identity }),
  };
}

/** Models on the same data: a column that reaches one by its name reaches the others in the same place. */
export function modelRuns(references: readonly ModelReference[], registry: ModelRegistry): ModelRun[] {
  const [first, ...others] = references;
  const leading = modelRun(first!, registry);
  const shared = others.map((model) => modelRun(model, registry, leading.inputNames));
  return [leading, ...shared];
}
