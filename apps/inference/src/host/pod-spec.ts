import { availableParallelism } from 'node:os';
import type { FetchedArtifacts } from '@pademelon/artifacts';
import {
  type DynamicBatching,
  type PodLimits,
  type PodModel,
  type PodSpec,
  readEngineConfig,
  readEngineLimits,
} from '@pademelon/contracts';
import { type DeploymentRow, loadPodModels, type PodModelRow, type Pool } from '@pademelon/database/sql';
import { DomainError } from '@pademelon/domain';
import type { PythonPrograms } from './python-programs.ts';
import { readStepMemory } from './step-memory.ts';

export interface PodSpecOptions {
  readonly pool: Pool;
  readonly modelFiles: Pick<FetchedArtifacts, 'provide'>;
  readonly pythonPrograms: Pick<PythonPrograms, 'provide'>;
  readonly podKey: (podId: string) => string;
  readonly logSocketPath: string;
  readonly bindAddress: string;
  readonly limits: PodLimits;
}

/** What a pod is told, and what only the host must know. */
export interface PodPlan {
  readonly spec: PodSpec;
  readonly memoryBytes: number | null;
}

/**
 * Gathers all that a pod of this deployment needs; its model files are on this disk afterwards. Throws DomainError:
 * `model_rejected` when the deployment cannot be served as it is stored, `not_ready` while a model is being packaged,
 * `unavailable` when trying again may help.
 */
export async function buildPodPlan(
  options: PodSpecOptions,
  deployment: DeploymentRow,
  podId: string,
): Promise<PodPlan> {
  const { threads, memoryBytes } = readEngineConfig(deployment.engineConfig);
  const steps = readSteps(deployment.definition);
  const podThreads = Math.min(threads, availableParallelism());
  return {
    memoryBytes,
    spec: {
      podId,
      deploymentId: deployment.id,
      deploymentName: `${deployment.deployId}-${deployment.id}`,
      workspaceId: deployment.workspaceId,
      pipelineId: deployment.pipelineId,
      pipelineName: deployment.pipelineName,
      pipelineVersion: deployment.pipelineVersion,
      steps,
      models: await provideModels(options, deployment, { podId, steps, threads: podThreads }),
      threads: podThreads,
      memoryBytes,
      bindAddress: options.bindAddress,
      key: options.podKey(podId),
      logSocketPath: options.logSocketPath,
      limits: limitsOf(options.limits, deployment),
    },
  };
}

/** Deadlines of a deployment's own may be shorter than the platform's, never longer. */
function limitsOf(platform: PodLimits, { engineConfig }: DeploymentRow): PodLimits {
  const { requestDeadlineMs, runDeadlineMs } = readEngineLimits(engineConfig);
  return {
    ...platform,
    requestDeadlineMs: Math.min(requestDeadlineMs ?? Number.POSITIVE_INFINITY, platform.requestDeadlineMs),
    runDeadlineMs: Math.min(runDeadlineMs ?? Number.POSITIVE_INFINITY, platform.runDeadlineMs),
  };
}

function readSteps(definition: unknown): readonly unknown[] {
  const steps = (definition as { steps?: unknown } | null)?.steps;
  if (!Array.isArray(steps) || steps.length === 0) {
    throw new DomainError('model_rejected', 'The pipeline version has no steps; add a model step and deploy again.');
  }
  return steps;
}

async function provideModels(
  options: PodSpecOptions,
  deployment: DeploymentRow,
  { podId, steps, threads }: { podId: string; steps: readonly unknown[]; threads: number },
): Promise<PodModel[]> {
  const references = [...findModelReferences(steps)];
  const rows = await loadPodModels(options.pool, {
    deploymentId: deployment.id,
    workspaceId: deployment.workspaceId,
    versions: [...new Set(references.map(({ version }) => version))],
  });
  for (const { name, version } of references) {
    if (!rows.some((row) => row.version === version && row.name === name)) {
      throw new DomainError('model_rejected', `There is no model ${name} with version ${version} in the workspace.`);
    }
  }
  rows.forEach(requireReady);
  return Promise.all(
    rows.map(async (row) => {
      if (row.framework !== 'python') return { ...describeModel(row), path: await options.modelFiles.provide(row.sha) };
      const memoryBytes = readStepMemory(deployment.engineConfig, row);
      const python = await options.pythonPrograms.provide(row, { podId, threads, memoryBytes });
      return { ...describeModel(row), path: '', python };
    }),
  );
}

function requireReady({ name, version, status, errorSummary }: PodModelRow): void {
  if (status === 'ready') return;
  if (status === 'error') {
    const why = errorSummary ?? 'its upload log says why';
    throw new DomainError('model_rejected', `The model ${name} version ${version} could not be packaged: ${why}`);
  }
  throw new DomainError('not_ready', `The model ${name} version ${version} is still being packaged.`);
}

function describeModel(row: PodModelRow): Omit<PodModel, 'path'> {
  return {
    name: row.name,
    version: row.version,
    sha: row.sha,
    versionId: row.versionId,
    tensorFields: readTensorFields(row.tensorFields),
    dynamicBatching: readDynamicBatching(row.dynamicBatching),
  };
}

interface ModelReference {
  readonly name: string;
  readonly version: string;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Every `{name, version, sha}` in the steps, wherever a kind of step keeps its models: ModelInference has a list,
 * RandomSplit weights, MetaValueSplit a control and routes.
 */
function* findModelReferences(value: unknown): Generator<ModelReference> {
  if (typeof value !== 'object' || value === null) return;
  const { name, version, sha } = value as Record<string, unknown>;
  if (typeof name === 'string' && typeof version === 'string' && typeof sha === 'string') {
    if (!uuid.test(version)) throw new DomainError('model_rejected', `The version of the model ${name} is not a UUID.`);
    yield { name, version: version.toLowerCase() };
    return;
  }
  for (const member of Object.values(value)) yield* findModelReferences(member);
}

function readTensorFields(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.length > 0 && value.every((field) => typeof field === 'string') ? value : null;
}

function readDynamicBatching(value: unknown): DynamicBatching | null {
  if (typeof value !== 'object' || value === null) return null;
  const { max_batch_delay_ms, batch_size_target, batch_size_limit } = value as Record<string, unknown>;
  if (typeof max_batch_delay_ms !== 'number' || typeof batch_size_target !== 'number') return null;
  return {
    maxBatchDelayMs: max_batch_delay_ms,
    batchSizeTarget: batch_size_target,
    batchSizeLimit: typeof batch_size_limit === 'number' ? batch_size_limit : null,
  };
}
