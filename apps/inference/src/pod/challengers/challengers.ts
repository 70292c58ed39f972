import type { PodModel, PodSpec } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { ModelReference } from '@pademelon/domain/pipeline-steps';
import type { Challenger } from '../pipeline-steps/pipeline-step.ts';
import { type ChallengerOptions, ChallengerProcess, challengerDefaults } from './challenger-process.ts';

export interface ChallengersOptions extends Pick<ChallengerOptions, 'entry' | 'onTrouble'> {
  readonly spec: Pick<PodSpec, 'models' | 'threads' | 'limits' | 'memoryBytes'>;
}

/** The challengers of one pod, a process each. */
export class Challengers {
  readonly #options: ChallengersOptions;
  readonly #processes: ChallengerProcess[] = [];

  constructor(options: ChallengersOptions) {
    this.#options = options;
  }

  /** Starts one. `inputNames`: for each input of the answering model the column names that reach it. */
  start(reference: ModelReference, inputNames: readonly (readonly string[])[]): Challenger {
    const { spec, entry, onTrouble } = this.#options;
    const challenger = new ChallengerProcess({
      ...challengerDefaults,
      entry,
      onTrouble,
      inputNames,
      model: findModel(spec.models, reference),
      threads: spec.threads,
      runDeadlineMs: spec.limits.runDeadlineMs,
      memoryBytes: spec.memoryBytes,
    });
    this.#processes.push(challenger);
    return challenger;
  }

  /** Resolves when all have loaded their models. Rejects with a DomainError when one cannot be served. */
  async ready(): Promise<void> {
    await Promise.all(this.#processes.map((challenger) => challenger.ready()));
  }

  stop(): void {
    for (const challenger of this.#processes) challenger.stop();
  }
}

function findModel(models: readonly PodModel[], { name, version }: ModelReference): PodModel {
  const model = models.find((candidate) => candidate.name === name && candidate.version === version);
  if (model !== undefined) return model;
  throw new DomainError('model_rejected', `The deployment lacks the challenger ${JSON.stringify(name)}, ${version}.`);
}
