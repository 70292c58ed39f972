import type { PodModel, PodSpec, PythonProgram } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { answeringModels, type ModelReference, parseSteps, planSteps } from '@pademelon/domain/pipeline-steps';
import type { Script } from '../pipeline-steps/pipeline-step.ts';
import { ScriptModel } from './script-model.ts';

/** Takes a line that the script of this model printed. */
export type TakeScriptLine = (modelName: string, line: string) => void;

type ScriptPodModel = PodModel & { readonly python: PythonProgram };

/** The Python steps of one pod, each in a process of its own. */
export class Scripts {
  readonly #scripts = new Map<string, Script & { readonly model: ScriptModel }>();

  /** Starts them all. Throws `model_rejected` where the pipeline uses one as anything but a step of its own. */
  constructor({ steps, models, limits }: Pick<PodSpec, 'steps' | 'models' | 'limits'>, onLine: TakeScriptLine) {
    const scripts = models.filter((model): model is ScriptPodModel => model.python !== undefined);
    requireOwnSteps(steps, scripts);
    for (const each of scripts) {
      const { name, version, sha, python } = each;
      const model = new ScriptModel({
        model: { name, python },
        runDeadlineMs: limits.runDeadlineMs,
        onLine: (line) => onLine(name, line),
      });
      this.#scripts.set(version, { identity: { name, version, sha }, model });
    }
  }

  /** The script that a step names; null when it names another kind of model. */
  find({ version }: Pick<ModelReference, 'version'>): Script | null {
    return this.#scripts.get(version) ?? null;
  }

  /** Throws `model_rejected` with the reason when one cannot be loaded. */
  async ready(): Promise<void> {
    for (const { model } of this.#scripts.values()) await model.started;
  }

  stop(): void {
    for (const { model } of this.#scripts.values()) model.stop();
  }
}

function requireOwnSteps(steps: readonly unknown[], scripts: readonly ScriptPodModel[]): void {
  if (scripts.length === 0) return;
  const alone = new Set(
    planSteps(parseSteps(steps)).steps.flatMap(({ step }) =>
      step.kind === 'ModelInference' ? answeringModels(step).map(({ version }) => version) : [],
    ),
  );
  const other = scripts.find(({ version }) => !alone.has(version));
  if (other === undefined) return;
  throw new DomainError(
    'model_rejected',
    `The model ${JSON.stringify(other.name)} is a Python script, which can only be a model step of its own: not one of several models, nor part of a split.`,
  );
}
