import type { Caller } from '../caller.ts';
import { DomainError } from '../domain-error.ts';
import { isStorableText } from '../plain-json.ts';
import { choosePipeline, modelNameOf, pipelineNameIn } from './model-name.ts';
import { endModels, type ServedPipelineStore, type ServedTensors, servedTensors } from './served-pipeline.ts';

export interface ListedModel {
  readonly name: string;
  /** UUID of the pipeline version. */
  readonly version: string;
  readonly isReady: boolean;
}

export interface DescribedModel extends ServedTensors {
  /** As the caller calls it. */
  readonly name: string;
  readonly version: string;
}

/** What the Open Inference Protocol tells of deployed pipelines. Inference itself never comes this way. */
export class OpenInferenceService {
  readonly #store: ServedPipelineStore;

  constructor(store: ServedPipelineStore) {
    this.#store = store;
  }

  /** All that the caller may use, each under a name that stands for it alone. */
  async list(caller: Caller): Promise<ListedModel[]> {
    const usable = await this.#store.list(caller.userId);
    return usable.map((pipeline) => ({
      name: modelNameOf(pipeline, usable),
      version: pipeline.version,
      isReady: pipeline.isReady,
    }));
  }

  /** Throws as `choosePipeline` does, and `not_found` for a version that is not the deployed one. */
  async describe(caller: Caller, modelName: string, version: string | null): Promise<DescribedModel> {
    const pipelineName = pipelineNameIn(modelName);
    const usable = isStorableText(pipelineName) ? await this.#store.list(caller.userId, pipelineName) : [];
    const pipeline = choosePipeline(modelName, usable);
    if (version !== null && version !== pipeline.version) {
      throw new DomainError('not_found', `Version ${JSON.stringify(version)} of the model is not deployed.`);
    }
    const ends = endModels(pipeline.steps);
    const versions = ends === null ? [] : [ends.first.version, ends.last.version];
    const models = await this.#store.models(pipeline, versions);
    return { name: modelName, version: pipeline.version, ...servedTensors(pipeline.steps, models) };
  }
}
