import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DynamicBatching } from '@pademelon/contracts';
import { deepModel, forestModel } from '@pademelon/testing/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { featureCount, provideBenchModel } from './bench-model.ts';
import { loadGenerator } from './load.ts';
import { median } from './report.ts';
import { podsTarget } from './targets/pods.ts';
import { loadInTurns } from './turns.ts';
import { createWorkloads } from './workloads.ts';

const folder = resolve(import.meta.dirname, '../.cache/bench');
const clients = 32;
/** Half of the clients: what each of the two pods can have at a time. */
const batching: DynamicBatching = { maxBatchDelayMs: 2, batchSizeTarget: 16, batchSizeLimit: 64 };

/** About ten times as heavy as the house-price model for one row; what a batch saves differs. */
const models: readonly { readonly name: string; readonly make: () => Buffer }[] = [
  {
    name: 'a network of 200 layers',
    make: () => deepModel({ features: featureCount, layers: 200, width: 32 }),
  },
  {
    name: 'a forest of 2,000 trees of depth 8',
    make: () => forestModel({ features: featureCount, trees: 2000, depth: 8 }),
  },
];

export interface BatchingOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/**
 * One row a request, 32 clients, two pods: with dynamic batching against without, in turns. A table in Markdown. CPU is
 * the pods' time for a request, which others on the machine hardly change.
 */
export async function measureBatching({ rounds, seconds, say }: BatchingOptions): Promise<string> {
  const housePrices = await provideBenchModel();
  const housePriceUs = await oneRowUs(housePrices.path);
  const lines = [
    `One row, ${clients} clients, two pods, logging on; ${loadGenerator}, ${rounds} rounds of ${seconds} s; target ${batching.batchSizeTarget} rows, delay ${batching.maxBatchDelayMs} ms.`,
    '',
    '| model | one run, against house prices | without: requests/s | p50 ms | CPU µs | with: requests/s | p50 ms | CPU µs | ratio of requests/s | of CPU |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
  ];
  for (const { name, make } of models) {
    await mkdir(folder, { recursive: true });
    const path = join(folder, 'heavy.onnx');
    await writeFile(path, make());
    const heaviness = (await oneRowUs(path)) / housePriceUs;
    const { oneRow } = await createWorkloads({ path, rows: housePrices.rows });
    const plain = await podsTarget({ name: 'without' }).start(path);
    const batched = await podsTarget({ name: 'with', dynamicBatching: batching }).start(path);
    try {
      const [without, joined] = await loadInTurns([plain, batched], oneRow, { clients, rounds, seconds });
      const ratio = median(joined!.map((each, round) => each.requestsPerSecond / without![round]!.requestsPerSecond));
      const cells = [without!, joined!].flatMap((results) => [
        Math.round(median(results.map((each) => each.requestsPerSecond))).toLocaleString('en'),
        median(results.map((each) => each.p50Ms)).toFixed(2),
        median(results.map((each) => each.cpuUs)).toFixed(0),
      ]);
      const saved = median(joined!.map((each, round) => without![round]!.cpuUs / each.cpuUs));
      lines.push(
        `| ${name} | ${heaviness.toFixed(1)} times | ${cells.join(' | ')} | ${ratio.toFixed(2)} | ${saved.toFixed(2)} |`,
      );
      say(lines.at(-1)!);
    } finally {
      await plain.stop();
      await batched.stop();
    }
  }
  return lines.join('\n');
}

/** The quickest of many runs in this process: others on the machine only make it slower. */
async function oneRowUs(path: string): Promise<number> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1 });
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', new Float32Array(featureCount), [1, featureCount]) };
  let leastMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 300; i++) {
    const startedAtMs = performance.now();
    await session.run(feeds);
    leastMs = Math.min(leastMs, performance.now() - startedAtMs);
  }
  return leastMs * 1000;
}
