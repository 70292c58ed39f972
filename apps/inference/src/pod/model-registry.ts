import type { PodModel } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { ModelSession } from './model-session.ts';
import { OnnxSession } from './runtimes/onnx.ts';
import { mayBeForest, withCompiledForest } from './runtimes/trees/forest-session.ts';
import type { Feed } from './tensor-spec.ts';
import { rowWidth } from './tensor-spec.ts';
import { allocateValues } from './typed-values.ts';

export interface LoadedModel extends Omit<PodModel, 'path'> {
  readonly session: ModelSession;
}

/** The models of one pod, each loaded once however many steps use it. */
export class ModelRegistry {
  readonly #models = new Map<string, LoadedModel>();

  /** Loads and warms up every model, blocking. Throws a DomainError for the user when one cannot be served. */
  static load(models: readonly PodModel[], threads: number): ModelRegistry {
    const registry = new ModelRegistry();
    for (const model of models) {
      const session = openSession(model, threads);
      registry.#models.set(keyOf(model.name, model.version), { ...model, session });
    }
    return registry;
  }

  find(name: string, version: string): LoadedModel {
    const model = this.#models.get(keyOf(name, version));
    if (model === undefined) {
      throw new DomainError(
        'model_rejected',
        `The pipeline names model ${JSON.stringify(name)} of version ${version}, which the deployment does not have.`,
      );
    }
    return model;
  }

  get models(): Iterable<LoadedModel> {
    return this.#models.values();
  }

  get names(): string[] {
    return [...new Set(Array.from(this.models, (model) => model.name))];
  }
}

/** With more threads than this ONNX Runtime may be faster on many rows than the compiled forest, which has one. */
const threadsOfForest = 4;

function openSession({ name, path }: PodModel, threads: number): ModelSession {
  const open = (count: number): ModelSession => {
    const session = new OnnxSession(path, { name, threads: count });
    warmUp(session);
    return session;
  };
  if (threads > threadsOfForest || !mayBeForest(path)) return open(threads);
  // With more threads ONNX Runtime may add trees up in another order, and there would be nothing to compare with.
  const alone = open(1);
  const session = withCompiledForest(alone, path);
  return session === alone && threads > 1 ? open(threads) : session;
}

function keyOf(name: string, version: string): string {
  return `${version}\n${name}`;
}

/**
 * One run on zeros, so that the first caller does not pay for what ONNX Runtime sets up at its first run. Where the
 * model leaves dimensions open, ones are a guess, and a model that refuses them may still serve real input.
 */
function warmUp(session: ModelSession): void {
  const { inputs, fixedBatch } = session.signature;
  const rowCount = fixedBatch ?? 1;
  const feeds = inputs.map(({ type, rowShape }): Feed => {
    const dims = [rowCount, ...rowShape.map((dimension) => dimension ?? 1)];
    return { type, dims, values: allocateValues(type, rowWidth(dims)!) };
  });
  try {
    session.run(feeds, rowCount);
  } catch (error) {
    if (inputs.every(({ rowShape }) => rowWidth(rowShape) !== null)) throw error;
  }
}
