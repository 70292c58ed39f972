import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamicBatching, PodLimits, PodModel } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { ModelReference } from '@pademelon/domain/pipeline-steps';
import type { LogRecord } from '@pademelon/inference-log/frames';
import { ByteWriter } from './codecs/byte-writer.ts';
import { createArrowEncoder } from './codecs/create-arrow-encoder.ts';
import { DataPlane } from './data-plane.ts';
import { ModelRegistry } from './model-registry.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { PlanCache, type PlanHeaders } from './request-plan.ts';

/** For tests: models in a folder of their own, and a data plane over them without any process or socket. */

export const sdkQuery = '/infer?dataset%5B%5D=%2A&dataset.exclude%5B%5D=metadata&dataset.separator=.';
export const recordsType = 'application/json; format=pandas-records';
export const arrowType = 'application/vnd.apache.arrow.file';

export const testLimits: PodLimits = {
  jsonBodyBytes: 1_000_000,
  arrowBodyBytes: 1_000_000,
  rows: 10_000,
  queuedRequests: 8,
  requestDeadlineMs: 30_000,
  runDeadlineMs: 30_000,
};

export interface TestModel {
  readonly name: string;
  /** The model's bytes, or the path of its file. */
  readonly file: Buffer | string;
  readonly tensorFields?: readonly string[];
  readonly dynamicBatching?: DynamicBatching;
}

/** Writes the models' files; `remove` deletes them. */
export function placeModels(models: readonly TestModel[]): { models: PodModel[]; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-pod-'));
  const placed = models.map(({ name, file, tensorFields, dynamicBatching }, index): PodModel => {
    const path = typeof file === 'string' ? file : join(folder, `${name}.onnx`);
    if (typeof file !== 'string') writeFileSync(path, file);
    return {
      name,
      version: versionOf(index),
      sha: `${index}`.repeat(64),
      versionId: index + 1,
      path,
      tensorFields: tensorFields ?? null,
      dynamicBatching: dynamicBatching ?? null,
    };
  });
  return { models: placed, remove: () => rmSync(folder, { recursive: true }) };
}

export function versionOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

export interface DataPlaneBench {
  /** The answer's text, or `word: sentence` of the refusal. */
  infer(body: string | Buffer, headers?: Partial<PlanHeaders>): string;
  inferBytes(body: string | Buffer, headers?: Partial<PlanHeaders>): Buffer;
  readonly records: LogRecord[];
}

export const testTime = 1_700_000_000_123;

/** A pipeline of one step for each model, in order. */
export function dataPlaneBench(
  ...models: TestModel[]
): Promise<DataPlaneBench & { dataPlane: DataPlane; remove: () => void }> {
  return pipelineBench(models, (references) => references.map((model) => ({ ModelInference: { models: [model] } })));
}

/** A pipeline of the steps that `define` makes of the models' references, in their order. */
export async function pipelineBench(
  models: readonly TestModel[],
  define: (references: readonly ModelReference[]) => readonly unknown[],
  options: Partial<PipelineOptions> = {},
): Promise<DataPlaneBench & { dataPlane: DataPlane; remove: () => void }> {
  const placed = placeModels(models);
  const registry = ModelRegistry.load(placed.models, 1);
  const steps = define(placed.models.map(({ name, version, sha }) => ({ name, version, sha })));
  const records: LogRecord[] = [];
  const dataPlane = new DataPlane({
    spec: { podId: 'pod-1', pipelineName: 'pipe', pipelineVersion: 'version-1', limits: testLimits },
    pipeline: new Pipeline(steps, registry, options),
    // Columns share memory with the next request, so what a test looks at later is copied.
    log: { write: (record) => records.push(structuredClone(record)), owe: () => undefined },
    now: () => testTime,
    loadArrow: async () => createArrowEncoder(),
  });
  await dataPlane.prepare();
  const plans = new PlanCache();
  const writer = new ByteWriter();
  const inferBytes = (body: string | Buffer, headers: Partial<PlanHeaders> = {}): Buffer => {
    const plan = plans.get({
      target: sdkQuery,
      contentType: recordsType,
      accept: undefined,
      userAgent: undefined,
      ...headers,
    });
    writer.begin(16);
    dataPlane.infer(plan, Buffer.from(body as string), writer);
    return writer.take();
  };
  return {
    dataPlane,
    records,
    inferBytes,
    infer(body, headers) {
      try {
        return inferBytes(body, headers).toString();
      } catch (error) {
        if (error instanceof DomainError) return `${error.word}: ${error.message}`;
        throw error;
      }
    },
    remove: placed.remove,
  };
}
