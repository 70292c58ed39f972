import type { PodModel, PodSpec } from '@pademelon/contracts';
import { answeringModels, parseSteps, planSteps } from '@pademelon/domain/pipeline-steps';
import { LogWriter } from '@pademelon/inference-log/frames';
import { batchingPolicy } from './batching/batching-policy.ts';
import { Challengers } from './challengers/challengers.ts';
import { DataPlane } from './data-plane.ts';
import { ModelRegistry } from './model-registry.ts';
import { Pipeline } from './pipeline.ts';
import { PodServer } from './pod-server.ts';
import { Scripts, type TakeScriptLine } from './python/scripts.ts';

export interface PodCounts {
  readonly requests: number;
  readonly errors: number;
  readonly queued: number;
  readonly logged: number;
  readonly loggedRows: number;
}

/** A running pod: the models of one pipeline version behind one port. */
export interface Pod {
  readonly port: number;
  readonly counts: PodCounts;
  /** Finishes what has come and lets go of everything. */
  drain(): Promise<void>;
}

export interface PodOptions {
  /** Told of errors that are nobody's input but our fault. */
  readonly onFault: (error: unknown) => void;
  /** Told in a sentence of what became of a challenger. */
  readonly onTrouble: (sentence: string) => void;
  /** Takes what scripts print. */
  readonly onScriptLine: TakeScriptLine;
  /** Absolute path of the main module of challengers. */
  readonly challengerEntry: string;
}

/** Loads the models (blocking) and listens. Throws a DomainError when the spec cannot be served. */
export async function startPod(spec: PodSpec, options: PodOptions): Promise<Pod> {
  const { onFault, onTrouble, challengerEntry } = options;
  const scripts = new Scripts(spec, options.onScriptLine);
  const challengers = new Challengers({ spec, entry: challengerEntry, onTrouble });
  const registry = ModelRegistry.load(modelsThatAnswer(spec), spec.threads);
  const pipeline = new Pipeline(spec.steps, registry, {
    challenger: (model, inputNames) => challengers.start(model, inputNames),
    script: (model) => scripts.find(model),
  });
  await Promise.all([challengers.ready(), scripts.ready()]);
  const log = new LogWriter({
    socketPath: spec.logSocketPath,
    origin: {
      podId: spec.podId,
      pipelineId: spec.pipelineId,
      pipelineVersion: spec.pipelineVersion,
      modelNames: [...new Set(spec.models.map(({ name }) => name))],
      checks: pipeline.checkNames,
    },
  });
  const dataPlane = new DataPlane({
    spec,
    pipeline,
    log,
    now: Date.now,
    loadArrow: async () => (await import('./codecs/create-arrow-encoder.ts')).createArrowEncoder(),
  });
  const server = new PodServer({
    spec,
    dataPlane,
    batching: batchingPolicy(pipeline, registry.models),
    hasChallengers: pipeline.hasChallengers,
    hasScripts: pipeline.hasScripts,
    flushLog: () => log.flush(),
    onFault,
  });
  return {
    port: await server.listen(),
    get counts() {
      return { ...server.counts, logged: log.records, loggedRows: log.rows };
    },
    async drain() {
      await server.drain();
      challengers.stop();
      scripts.stop();
      await log.close();
    },
  };
}

/** Challengers load their own, and scripts run in processes of their own. */
function modelsThatAnswer({ steps, models }: PodSpec): PodModel[] {
  const versions = new Set(
    planSteps(parseSteps(steps)).steps.flatMap(({ step }) => answeringModels(step).map(({ version }) => version)),
  );
  return models.filter(({ version, python }) => versions.has(version) && python === undefined);
}
