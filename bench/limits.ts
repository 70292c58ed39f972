import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { checkAnswers } from './check-answers.ts';
import type { ComparisonOptions } from './comparison.ts';
import { applyLoad, type LoadOptions, type LoadResult } from './load.ts';
import { median } from './report.ts';
import type { RunningTarget } from './target.ts';
import { podsTarget } from './targets/pods.ts';
import type { Workload } from './workloads.ts';

/**
 * What no server on this machine can beat, ONNX Runtime in process and Node's HTTP answering a constant, and how near
 * two pods that log come to it, in turns. A table in Markdown.
 */
export async function measureLimits(options: ComparisonOptions): Promise<string> {
  const { modelPath, workloads, rounds, seconds } = options;
  const { oneRow, thousandRowsArrow } = workloads;
  const pods = await podsTarget().start(modelPath);
  const constant = await startConstantServers(2);
  try {
    for (const workload of [oneRow, thousandRowsArrow]) {
      await checkAnswers(pods, workload);
      await applyLoad(pods, workload, { clients: 8, seconds: 1 });
    }
    const results: Round[] = [];
    for (let round = 0; round < rounds; round++) results.push(await measureRound(pods, constant, options));
    return formatRounds(results, `${rounds} rounds of ${seconds} s in turns; two pods, logging on; medians.`);
  } finally {
    await constant.stop();
    await pods.stop();
  }
}

interface Round {
  /** Rows a second, requests of 1,000. */
  readonly runtimeOneThread: number;
  readonly runtimeTwoThreads: number;
  readonly podsArrow: number;
  /** Milliseconds of one row, one client. */
  readonly constantP50Ms: number;
  readonly podP50Ms: number;
  readonly runtimeOneRowMs: number;
  /** Requests a second of 32 clients. */
  readonly constantMany: number;
  readonly podsMany: number;
}

async function measureRound(
  pods: RunningTarget,
  constant: RunningTarget,
  { modelPath, workloads, seconds }: ComparisonOptions,
): Promise<Round> {
  const { oneRow, thousandRowsArrow } = workloads;
  const rowsPerSecond = async (threads: number) => 1e9 / (await timeRuns(modelPath, thousandRowsArrow, threads));
  const podsArrow = await load(pods, thousandRowsArrow, { clients: 8, seconds });
  const constantOne = await load(constant, oneRow, { clients: 1, seconds });
  const podOne = await load(pods, oneRow, { clients: 1, seconds });
  const constantMany = await load(constant, oneRow, { clients: 32, seconds });
  const podsMany = await load(pods, oneRow, { clients: 32, seconds });
  return {
    runtimeOneThread: await rowsPerSecond(1),
    runtimeTwoThreads: await rowsPerSecond(2),
    podsArrow: podsArrow.requestsPerSecond * thousandRowsArrow.rows,
    constantP50Ms: constantOne.p50Ms,
    podP50Ms: podOne.p50Ms,
    runtimeOneRowMs: (await timeRuns(modelPath, oneRow, 1)) / 1000,
    constantMany: constantMany.requestsPerSecond,
    podsMany: podsMany.requestsPerSecond,
  };
}

async function load(target: RunningTarget, workload: Workload, options: LoadOptions): Promise<LoadResult> {
  const result = await applyLoad(target, workload, options);
  if (result.failed > 0) throw new Error(`${result.failed} requests failed.`);
  return result;
}

function formatRounds(rounds: readonly Round[], how: string): string {
  const of = (figure: keyof Round) => median(rounds.map((round) => round[figure]));
  const ratio = (figure: keyof Round, limit: keyof Round) => {
    return median(rounds.map((round) => round[figure] / round[limit])).toFixed(2);
  };
  const count = (figure: keyof Round) => Math.round(of(figure)).toLocaleString('en');
  const ms = (figure: keyof Round) => of(figure).toFixed(3);
  return [
    how,
    '',
    '| | limit | pods | ratio |',
    '|---|--:|--:|--:|',
    `| 1,000 rows Arrow, 8 clients, rows/s; ONNX Runtime in process, 1 thread | ${count('runtimeOneThread')} | | |`,
    `| the same; ONNX Runtime in process, 2 threads | ${count('runtimeTwoThreads')} | ${count('podsArrow')} | ${ratio('podsArrow', 'runtimeTwoThreads')} |`,
    `| 1 row, 1 client, p50 ms; bare Node HTTP | ${ms('constantP50Ms')} | ${ms('podP50Ms')} | ${ratio('podP50Ms', 'constantP50Ms')} |`,
    `| 1 row, ms; ONNX Runtime in process | ${ms('runtimeOneRowMs')} | | |`,
    `| 1 row, 32 clients, requests/s; bare Node HTTP, 2 processes | ${count('constantMany')} | ${count('podsMany')} | ${ratio('podsMany', 'constantMany')} |`,
  ].join('\n');
}

/** Microseconds a call takes on the rows of the workload: the way through a forest depends on them. */
async function timeRuns(modelPath: string, { rows, values }: Workload, threads: number): Promise<number> {
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: threads });
  const data = Float32Array.from(values.flat());
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', data, [rows, data.length / rows]) };
  const run = async (count: number) => {
    for (let index = 0; index < count; index++) await session.run(feeds);
  };
  const count = rows === 1 ? 20_000 : 500;
  await run(count / 10);
  const startedAt = performance.now();
  await run(count);
  const microseconds = ((performance.now() - startedAt) * 1000) / count;
  await session.release();
  return microseconds;
}

async function startConstantServers(count: number): Promise<RunningTarget> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const child = fork(join(import.meta.dirname, 'constant-server.ts'));
      const [port] = (await once(child, 'message')) as [number];
      return { child, url: `http://127.0.0.1:${port}/` };
    }),
  );
  return {
    urls: servers.map(({ url }) => url),
    headers: {},
    startMs: 0,
    memoryBytes: () => 0,
    async stop() {
      for (const { child } of servers) {
        child.disconnect();
        await once(child, 'exit');
      }
    },
  };
}
